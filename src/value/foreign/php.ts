import { CodecError } from "../../errors.js";
import { isUint8Array, latin1 } from "../../util/bytes.js";
import { whenReady } from "../../util/ready.js";
import type { Codec, Encoded, EncodeOptions } from "../codec.js";
import type { CompressedOptions } from "../compressed.js";
import { Deflaters } from "../deflater.js";
import { FLAG_COMPRESSED } from "../flags.js";
import { InflateLimits, Inflater, pastLimit } from "../inflater.js";
import { decodeJson } from "../json.js";
import { encodeText } from "../text.js";
import { inflateFastlz } from "./fastlz.js";
import { integer, PhpReader, phpNumber } from "./phpreader.js";
import { phpInteger, serializePhp } from "./phpwriter.js";
import { textOrBytes } from "./strings.js";
import { requireZlib } from "./zlib.js";

/** The low four bits of the flags (php_memcached.c). */
const STRING = 0;
const LONG = 1;
const DOUBLE = 2;
const BOOL = 3;
const SERIALIZED = 4;
const JSON_VALUE = 6;
const TYPE = 15;

const COMPRESSED = 16;
const ZLIB = 32;
const FASTLZ = 64;

/**
 * PHP's extension `memcached` with its serializers `php` and `json`. Compressed data has
 * its own length before it, four bytes, little-endian.
 */
export class PhpCodec implements Codec {
  readonly #limits: InflateLimits;
  readonly #deflaters: Deflaters;
  readonly #inflater: Inflater;

  constructor(options: CompressedOptions = {}) {
    requireZlib(options.compress);
    this.#limits = new InflateLimits(options);
    this.#deflaters = new Deflaters(options.compress, this.#limits);
    this.#inflater = new Inflater(this.#limits);
  }

  encode(value: unknown, options?: EncodeOptions): Encoded | Promise<Encoded> {
    requireZlib(options?.compress);
    const encoded = encodePhp(value);
    const { length } = encoded.data;
    return whenReady(this.#deflaters.deflate(encoded, options), (ready) => framed(ready, length));
  }

  decode(bytes: Buffer, start: number, end: number, flags: number, owned: boolean): unknown {
    if ((flags & COMPRESSED) === 0) return decodePhp(bytes, start, end, flags, owned);
    const data = this.#inflate(bytes, start, end, flags, owned);
    return whenReady(data, (inflated) => decodePhp(inflated, 0, inflated.length, flags, true));
  }

  #inflate(
    bytes: Buffer,
    start: number,
    end: number,
    flags: number,
    owned: boolean,
  ): Buffer | Promise<Buffer> {
    const from = start + 4;
    if (from > end) throw new CodecError("The item is flagged as compressed, but has no length");
    if ((flags & ZLIB) !== 0) return this.#inflater.inflate(bytes, from, end, 0, owned);
    if ((flags & FASTLZ) === 0) {
      throw new CodecError(
        `The item is compressed in a way that is not known here, flags ${flags}`,
      );
    }
    const length = bytes.readUInt32LE(start);
    const limit = this.#limits.limitFor(end - from);
    if (length > limit) throw pastLimit(end - start, limit);
    return inflateFastlz(bytes.subarray(from, end), length);
  }
}

function framed({ data, flags }: Encoded, length: number): Encoded {
  if ((flags & FLAG_COMPRESSED) === 0 || typeof data === "string") return { data, flags };
  const size = Buffer.allocUnsafe(4);
  size.writeUInt32LE(length);
  return {
    data: Buffer.concat([size, data]),
    flags: (flags & TYPE & ~FLAG_COMPRESSED) | COMPRESSED | ZLIB,
  };
}

function encodePhp(value: unknown): Encoded {
  switch (typeof value) {
    case "string":
      return { data: encodeText(value), flags: STRING };
    case "boolean":
      return { data: value ? "1" : "", flags: BOOL };
    case "bigint":
      return { data: phpInteger(value), flags: LONG };
    case "number":
      return { data: String(value), flags: Number.isSafeInteger(value) ? LONG : DOUBLE };
    default:
      if (isUint8Array(value)) return { data: value, flags: STRING };
      return { data: serializePhp(value), flags: SERIALIZED };
  }
}

function decodePhp(
  bytes: Buffer,
  start: number,
  end: number,
  flags: number,
  owned: boolean,
): unknown {
  switch (flags & TYPE) {
    case STRING:
      return textOrBytes(bytes, start, end, owned);
    case LONG:
      return integer(latin1(bytes, start, end).trim());
    case DOUBLE:
      return phpNumber(latin1(bytes, start, end));
    case BOOL:
      return integer(latin1(bytes, start, end).trim() || "0") === 1;
    case SERIALIZED:
      return new PhpReader(bytes, start, end).read();
    case JSON_VALUE:
      return decodeJson(bytes, start, end);
    default:
      throw new CodecError(
        `The item is of PHP's type ${flags & TYPE} (5 is igbinary, 7 msgpack), which is not known here; have PHP write with its serializer php or json`,
      );
  }
}

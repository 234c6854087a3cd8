import { whenReady } from "../../util/ready.js";
import type { Codec, Encoded, EncodeOptions } from "../codec.js";
import type { CompressedOptions } from "../compressed.js";
import { Deflaters } from "../deflater.js";
import { FLAG_COMPRESSED, FLAG_GZIP } from "../flags.js";
import { InflateLimits, Inflater } from "../inflater.js";
import { RawCodec } from "../raw.js";
import { marshal } from "./marshal.js";
import { textOrBytes } from "./strings.js";
import { Unmarshaller } from "./unmarshal.js";
import { requireZlib } from "./zlib.js";

const SERIALIZED = 1;
const COMPRESSED = 2;

/**
 * Ruby's dalli with Marshal, its default (lib/dalli/flags.rb): flags 1 marshalled, 2
 * compressed with zlib or gzip, 4 a bare string in UTF-8, 0 a bare string.
 */
export class DalliCodec implements Codec {
  readonly #bare: RawCodec = new RawCodec();
  readonly #deflaters: Deflaters;
  readonly #inflater: Inflater;

  constructor(options: CompressedOptions = {}) {
    requireZlib(options.compress);
    const limits = new InflateLimits(options);
    this.#deflaters = new Deflaters(options.compress, limits);
    this.#inflater = new Inflater(limits);
  }

  encode(value: unknown, options?: EncodeOptions): Encoded | Promise<Encoded> {
    requireZlib(options?.compress);
    // Only bare strings can be added to, as in dalli itself.
    if (options?.part === true) return this.#bare.encode(value);
    const encoded = { data: marshal(value), flags: SERIALIZED };
    return whenReady(this.#deflaters.deflate(encoded, options), marked);
  }

  decode(bytes: Buffer, start: number, end: number, flags: number, owned: boolean): unknown {
    if ((flags & COMPRESSED) === 0) return decodeRuby(bytes, start, end, flags, owned);
    // Both of dalli's compressors have the same flag.
    const method = bytes[start] === 0x1f && start < end ? FLAG_GZIP : 0;
    const data = this.#inflater.inflate(bytes, start, end, method, owned);
    return whenReady(data, (inflated) => decodeRuby(inflated, 0, inflated.length, flags, true));
  }
}

function marked({ data, flags }: Encoded): Encoded {
  if ((flags & FLAG_COMPRESSED) === 0) return { data, flags };
  return { data, flags: SERIALIZED | COMPRESSED };
}

function decodeRuby(
  bytes: Buffer,
  start: number,
  end: number,
  flags: number,
  owned: boolean,
): unknown {
  if ((flags & SERIALIZED) !== 0) return new Unmarshaller(bytes, start, end).read();
  return textOrBytes(bytes, start, end, owned);
}

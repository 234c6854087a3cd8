import { CodecError } from "../errors.js";
import { isUint8Array, ownBytes } from "../util/bytes.js";
import { checkChoice } from "../util/check.js";
import type { Codec, Encoded, EncodeOptions } from "./codec.js";
import {
  FLAG_BOOLEAN,
  FLAG_BYTES,
  FLAG_INTEGER,
  FLAG_JSON,
  FLAG_PICKLE,
  FLAG_STRUCTURED,
  FLAG_TEXT,
  TYPE_MASK,
} from "./flags.js";
import { decodeInteger, encodeBigint } from "./integer.js";
import { decodeJson, encodeJson } from "./json.js";
import { PickleReader, type PickleReadOptions } from "./pickle/reader.js";
import { type PickleWriteOptions, PickleWriter } from "./pickle/writer.js";
import { decodeStructured, encodeStructured } from "./structured.js";
import { decodeText, encodeText } from "./text.js";

export type NativeSerializer = "json" | "pickle" | "v8";

const SERIALIZERS: readonly NativeSerializer[] = ["json", "pickle", "v8"];

/** What else the option takes, of which this codec knows nothing. */
const OTHERS = '"raw", or an object with the methods serialize and deserialize';

export interface NativeOptions {
  /**
   * How values are written that are not a string, bytes, a boolean or an integer.
   * @defaultValue "json"
   */
  readonly serializer?: NativeSerializer | undefined;
  /** How pickles are read and written. */
  readonly pickle?: (PickleReadOptions & PickleWriteOptions) | undefined;
}

/**
 * pylibmc's native types under pylibmc's flags, and everything else through a serializer.
 * JSON and pickles are read whatever the serializer; structured clones, which are only
 * safe from a cache that can be trusted, with `"v8"` alone.
 */
export class NativeCodec implements Codec {
  readonly #serializer: NativeSerializer;
  readonly #reader: PickleReader;
  readonly #writer: PickleWriter;

  /** @throws OptionError for an unknown serializer, or options of pickle out of range */
  constructor(options: NativeOptions = {}) {
    const { serializer = "json", pickle } = options;
    this.#serializer = checkChoice(serializer, "serializer", SERIALIZERS, OTHERS);
    this.#reader = new PickleReader(pickle);
    this.#writer = new PickleWriter(pickle);
  }

  encode(value: unknown, _options?: EncodeOptions): Encoded {
    switch (typeof value) {
      case "string":
        return { data: encodeText(value), flags: FLAG_TEXT };
      case "number":
        // What a number cannot count exactly is a float, and read back as one.
        return Number.isSafeInteger(value)
          ? { data: String(value), flags: FLAG_INTEGER }
          : this.#serialize(value);
      case "bigint":
        return { data: encodeBigint(value), flags: FLAG_INTEGER };
      case "boolean":
        return { data: value ? "1" : "0", flags: FLAG_BOOLEAN };
      case "object":
        return isUint8Array(value) ? { data: value, flags: FLAG_BYTES } : this.#serialize(value);
      default:
        throw new CodecError(
          value === undefined
            ? "undefined cannot be stored, since it is what a miss reads as; store null, or delete the key"
            : `A ${typeof value} cannot be stored`,
        );
    }
  }

  decode(bytes: Buffer, start: number, end: number, flags: number, owned: boolean): unknown {
    switch (flags) {
      case FLAG_TEXT:
        return decodeText(bytes, start, end);
      case FLAG_JSON:
        return decodeJson(bytes, start, end);
      case FLAG_INTEGER:
        return decodeInteger(bytes, start, end);
      case FLAG_BYTES:
        return ownBytes(bytes, start, end, owned);
      case FLAG_BOOLEAN:
        // Python's True is the integer 1, and to the server a counter.
        return Number(decodeInteger(bytes, start, end)) !== 0;
      case FLAG_PICKLE:
        return this.#reader.read(bytes, start, end);
      case FLAG_STRUCTURED:
        if (this.#serializer === "v8") return decodeStructured(bytes, start, end, owned);
        throw new CodecError(
          'The item is a structured clone; if the cache can be trusted, read it with serializer: "v8"',
        );
      default:
        return this.#decodeForeign(bytes, start, end, flags, owned);
    }
  }

  #serialize(value: unknown): Encoded {
    switch (this.#serializer) {
      case "json":
        return { data: encodeText(encodeJson(value)), flags: FLAG_JSON };
      case "pickle":
        return { data: this.#writer.write(value), flags: FLAG_PICKLE };
      case "v8":
        return { data: encodeStructured(value), flags: FLAG_STRUCTURED };
    }
  }

  /** Bits of other clients are ignored, as pylibmc ignores ours. */
  #decodeForeign(
    bytes: Buffer,
    start: number,
    end: number,
    flags: number,
    owned: boolean,
  ): unknown {
    const type = flags & TYPE_MASK;
    if (type === flags) {
      throw new CodecError(`The item's flags are ${flags}, which is more than one type at once`);
    }
    return this.decode(bytes, start, end, type, owned);
  }
}

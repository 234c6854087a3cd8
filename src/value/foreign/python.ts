import type { Codec, Encoded, EncodeOptions } from "../codec.js";
import { FLAG_BOOLEAN, FLAG_INTEGER, FLAG_PICKLE, TYPE_MASK } from "../flags.js";
import { NativeCodec, type NativeOptions } from "../native.js";

/** What pylibmc has for booleans has python-memcached for integers; 4 was Python 2's long. */
const INTEGER = FLAG_BOOLEAN;

/**
 * python-memcached (memcache.py): pylibmc's flags, but 2 for integers and none for
 * booleans, which are pickled.
 */
export class PythonMemcachedCodec implements Codec {
  readonly #native: NativeCodec;

  constructor(pickle: NativeOptions["pickle"]) {
    this.#native = new NativeCodec({ serializer: "pickle", pickle });
  }

  encode(value: unknown, options?: EncodeOptions): Encoded {
    if (typeof value === "boolean") {
      return { data: value ? "I01\n." : "I00\n.", flags: FLAG_PICKLE };
    }
    const encoded = this.#native.encode(value, options);
    return encoded.flags === FLAG_INTEGER ? { data: encoded.data, flags: INTEGER } : encoded;
  }

  decode(bytes: Buffer, start: number, end: number, flags: number, owned: boolean): unknown {
    const type = flags & TYPE_MASK;
    return this.#native.decode(bytes, start, end, type === INTEGER ? FLAG_INTEGER : type, owned);
  }
}

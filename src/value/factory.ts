import { OptionError } from "../errors.js";
import { checkChoice } from "../util/check.js";
import { keysOf, type NamesOf } from "../util/names.js";
import { checkedCodec } from "./checked.js";
import type { Codec, Serializer } from "./codec.js";
import { CompressedCodec, type CompressedOptions } from "./compressed.js";
import { CustomCodec } from "./custom.js";
import { EncryptedCodec, type EncryptionOptions } from "./encryption.js";
import { DalliCodec } from "./foreign/dalli.js";
import { NodeMemcachedCodec } from "./foreign/memcached.js";
import { PhpCodec } from "./foreign/php.js";
import { PythonMemcachedCodec } from "./foreign/python.js";
import { NativeCodec, type NativeOptions, type NativeSerializer } from "./native.js";
import { RawCodec } from "./raw.js";

/** The clients whose flags and forms are known. */
export type CodecName = "pylibmc" | "python-memcached" | "memcached" | "memjs" | "php" | "dalli";

export interface CodecOptions<Value = unknown>
  extends Omit<NativeOptions, "serializer">,
    CompressedOptions {
  /**
   * What becomes of values that are not a string, bytes, a boolean or an integer: `"json"`,
   * `"pickle"` (Python's own types), `"v8"` (all that `structuredClone` copies; only for
   * a cache that nobody else can write to). `"raw"` knows no types at all: strings and
   * bytes go in, bytes come out. An object of your own takes over all values.
   * @defaultValue "json"
   */
  readonly serializer?: NativeSerializer | "raw" | Serializer<Value> | undefined;
  /**
   * Reads and writes what another client reads and writes, in the place of `serializer`:
   * `"pylibmc"` and `"python-memcached"` of Python, the npm packages `"memcached"` and
   * `"memjs"` (which knows bytes alone), `"php"` (the extension memcached), Ruby's
   * `"dalli"`. Or a codec of your own.
   */
  readonly codec?: CodecName | Codec | undefined;
  /** Seals all values with AES-256-GCM. */
  readonly encryption?: EncryptionOptions | undefined;
}

/** The names of those options. */
export const CODEC_OPTIONS: NamesOf<CodecOptions> = {
  serializer: true,
  codec: true,
  pickle: true,
  compress: true,
  maxInflatedSize: true,
  maxInflateRatio: true,
  encryption: true,
};

/** Whether anything is read or written by what the option `pickle` says. */
export function usesPickles({ codec, serializer }: CodecOptions): boolean {
  if (codec !== undefined) return codec === "pylibmc" || codec === "python-memcached";
  return typeof serializer !== "object" && serializer !== "raw";
}

/**
 * The codec that a client's options describe.
 * @throws OptionError for options that are unknown or out of range
 */
export function createCodec(options: CodecOptions = {}): Codec {
  const codec = plainCodec(options);
  return options.encryption === undefined ? codec : new EncryptedCodec(codec, options.encryption);
}

function plainCodec(options: CodecOptions): Codec {
  const { codec, serializer } = options;
  if (codec === undefined) return serializerCodec(options);
  if (serializer !== undefined) throw new OptionError("Give codec or serializer, not both");
  if (typeof codec === "string") return namedCodec(codec, options);
  if (typeof codec?.encode === "function" && typeof codec.decode === "function") {
    return withoutCompression(
      "a codec of your own; let it compress what it encodes",
      options,
      checkedCodec(codec),
    );
  }
  throw new OptionError("A codec must have the methods encode and decode");
}

function serializerCodec(options: CodecOptions): Codec {
  const { serializer, pickle } = options;
  if (serializer === "raw") return withoutCompression("raw", options, new RawCodec());
  if (typeof serializer !== "object") {
    return new CompressedCodec(new NativeCodec({ serializer, pickle }), options);
  }
  if (typeof serializer?.serialize !== "function" || typeof serializer.deserialize !== "function") {
    throw new OptionError("A serializer must have the methods serialize and deserialize");
  }
  return new CompressedCodec(new CustomCodec(serializer), options);
}

const CODECS: Readonly<Record<CodecName, (options: CodecOptions) => Codec>> = {
  pylibmc: (options) => serializerCodec({ ...options, serializer: "pickle" }),
  "python-memcached": (options) =>
    new CompressedCodec(new PythonMemcachedCodec(options.pickle), options),
  memcached: (options) => withoutCompression("memcached", options, new NodeMemcachedCodec()),
  memjs: (options) => withoutCompression("memjs", options, new RawCodec()),
  php: (options) => new PhpCodec(options),
  dalli: (options) => new DalliCodec(options),
};

function namedCodec(name: CodecName, options: CodecOptions): Codec {
  const known = keysOf(CODECS);
  return CODECS[checkChoice(name, "codec", known, "an object with encode and decode")](options);
}

function withoutCompression(name: string, { compress }: CodecOptions, codec: Codec): Codec {
  if (!compress) return codec;
  throw new OptionError(`There is no compression with ${name}`);
}

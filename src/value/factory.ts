import { OptionError } from "../errors.js";
import type { Codec, Serializer } from "./codec.js";
import { CompressedCodec, type CompressedOptions } from "./compressed.js";
import { CustomCodec } from "./custom.js";
import { EncryptedCodec, type EncryptionOptions } from "./encryption.js";
import { NativeCodec, type NativeOptions, type NativeSerializer } from "./native.js";
import { RawCodec } from "./raw.js";

export interface CodecOptions<Value = unknown>
  extends Omit<NativeOptions, "serializer">,
    CompressedOptions {
  /**
   * What becomes of values that are no string, bytes, boolean or integer: `"json"`,
   * `"pickle"` (Python's own types), `"v8"` (all that `structuredClone` copies; only for
   * a cache that nobody else can write to). `"raw"` knows no types at all: strings and
   * bytes go in, bytes come out. An object of one's own takes over all values.
   * @defaultValue "json"
   */
  readonly serializer?: NativeSerializer | "raw" | Serializer<Value> | undefined;
  /** Seals all values with AES-256-GCM. */
  readonly encryption?: EncryptionOptions | undefined;
}

/** The names of those options. */
export const CODEC_OPTIONS: readonly (keyof CodecOptions)[] = [
  "serializer",
  "pickle",
  "compress",
  "maxInflatedSize",
  "maxInflateRatio",
  "encryption",
];

/**
 * The codec that a client's options describe.
 * @throws OptionError for options that are unknown or out of range
 */
export function createCodec(options: CodecOptions = {}): Codec {
  const codec = plainCodec(options);
  return options.encryption === undefined ? codec : new EncryptedCodec(codec, options.encryption);
}

function plainCodec(options: CodecOptions): Codec {
  const { serializer } = options;
  if (serializer === "raw") return new RawCodec();
  if (typeof serializer !== "object") {
    return new CompressedCodec(new NativeCodec({ serializer, pickle: options.pickle }), options);
  }
  if (typeof serializer?.serialize !== "function" || typeof serializer.deserialize !== "function") {
    throw new OptionError("A serializer must have the methods serialize and deserialize");
  }
  return new CompressedCodec(new CustomCodec(serializer), options);
}

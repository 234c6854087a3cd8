import { OptionError } from "../errors.js";
import { builtin } from "../util/builtin.js";
import { checkChoice } from "../util/check.js";
import { keysOf } from "../util/names.js";
import type { Compression } from "./codec.js";
import { COMPRESSOR_MASK, FLAG_BROTLI, FLAG_GZIP, FLAG_ZSTD } from "./flags.js";

const zlib = builtin("node:zlib");

type Done = (error: Error | null, result: Buffer) => void;

/** One compressor of Node's, with its bits of the flags. */
export interface Method {
  readonly name: Compression;
  readonly flags: number;
  readonly maxLevel: number;
  /** Level -1 is the method's own choice. */
  deflateSync(data: Uint8Array, level: number): Buffer;
  deflate(data: Uint8Array, level: number, done: Done): void;
  /** Fails with `ERR_BUFFER_TOO_LARGE` past `limit` bytes. */
  inflateSync(data: Uint8Array, limit: number): Buffer;
  inflate(data: Uint8Array, limit: number, done: Done): void;
}

/** What `node:zlib` has of each format, to pack and to unpack: under its name, and with "Sync" behind that. */
type Name =
  | ("deflate" | "gzip" | "brotliCompress" | "zstdCompress")
  | ("inflate" | "gunzip" | "brotliDecompress" | "zstdDecompress");

type Functions = Record<Name, (data: Uint8Array, options: object, done: Done) => void> &
  Record<`${Name}Sync`, (data: Uint8Array, options: object) => Buffer>;

/** Of zstd there is nothing before Node 22.15. */
function functions(): Functions {
  return zlib() as ReturnType<typeof zlib> & Functions;
}

function method(
  name: Compression,
  flags: number,
  maxLevel: number,
  pack: Name,
  unpack: Name,
  optionsOf: (level: number, data: Uint8Array) => object,
): Method {
  return {
    name,
    flags,
    maxLevel,
    deflateSync: (data, level) => functions()[`${pack}Sync`](data, optionsOf(level, data)),
    deflate: (data, level, done) => functions()[pack](data, optionsOf(level, data), done),
    inflateSync: (data, limit) => functions()[`${unpack}Sync`](data, { maxOutputLength: limit }),
    inflate: (data, limit, done) => functions()[unpack](data, { maxOutputLength: limit }, done),
  };
}

const levelOf = (level: number) => ({ level });

/** Brotli's own default, 11, is made for files that are compressed once. */
const BROTLI_LEVEL = 4;

function brotliOptions(level: number, data: Uint8Array): object {
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } = zlib().constants;
  return {
    params: {
      [BROTLI_PARAM_QUALITY]: level === -1 ? BROTLI_LEVEL : level,
      [BROTLI_PARAM_SIZE_HINT]: data.length,
    },
  };
}

const ZSTD_LEVEL = 3;
/** `ZSTD_c_compressionLevel` of zstd.h. */
const ZSTD_LEVEL_PARAMETER = 100;

function zstdOptions(level: number): object {
  return { params: { [ZSTD_LEVEL_PARAMETER]: level === -1 ? ZSTD_LEVEL : level } };
}

function hasZstd(): boolean {
  return "zstdCompress" in zlib();
}

const METHODS: Readonly<Record<Compression, Method>> = {
  zlib: method("zlib", 0, 9, "deflate", "inflate", levelOf),
  gzip: method("gzip", FLAG_GZIP, 9, "gzip", "gunzip", levelOf),
  brotli: method("brotli", FLAG_BROTLI, 11, "brotliCompress", "brotliDecompress", brotliOptions),
  zstd: method("zstd", FLAG_ZSTD, 22, "zstdCompress", "zstdDecompress", zstdOptions),
};

/**
 * The compressor of that name.
 * @throws OptionError if there is none, or this Node lacks it
 */
export function methodNamed(name: Compression): Method {
  const method = METHODS[checkChoice(name, "compress.algorithm", keysOf(METHODS))];
  if (method !== METHODS.zstd || hasZstd()) return method;
  throw new OptionError("This Node has no zstd; use Node 22.15 or later, or another algorithm");
}

/** The compressor that an item's flags name, if this Node has it. */
export function methodOf(flags: number): Method | undefined {
  switch (flags & COMPRESSOR_MASK) {
    case FLAG_BROTLI:
      return METHODS.brotli;
    case FLAG_GZIP:
      return METHODS.gzip;
    case FLAG_ZSTD:
      return hasZstd() ? METHODS.zstd : undefined;
    default:
      return METHODS.zlib;
  }
}

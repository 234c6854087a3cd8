import type { BrotliOptions } from "node:zlib";
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

const ZLIB: Method = {
  name: "zlib",
  flags: 0,
  maxLevel: 9,
  deflateSync: (data, level) => zlib().deflateSync(data, { level }),
  deflate: (data, level, done) => zlib().deflate(data, { level }, done),
  inflateSync: (data, limit) => zlib().inflateSync(data, { maxOutputLength: limit }),
  inflate: (data, limit, done) => zlib().inflate(data, { maxOutputLength: limit }, done),
};

const GZIP: Method = {
  name: "gzip",
  flags: FLAG_GZIP,
  maxLevel: 9,
  deflateSync: (data, level) => zlib().gzipSync(data, { level }),
  deflate: (data, level, done) => zlib().gzip(data, { level }, done),
  inflateSync: (data, limit) => zlib().gunzipSync(data, { maxOutputLength: limit }),
  inflate: (data, limit, done) => zlib().gunzip(data, { maxOutputLength: limit }, done),
};

/** Brotli's own default, 11, is made for files that are compressed once. */
const BROTLI_LEVEL = 4;

function brotliOptions(data: Uint8Array, level: number): BrotliOptions {
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } = zlib().constants;
  return {
    params: {
      [BROTLI_PARAM_QUALITY]: level === -1 ? BROTLI_LEVEL : level,
      [BROTLI_PARAM_SIZE_HINT]: data.length,
    },
  };
}

const BROTLI: Method = {
  name: "brotli",
  flags: FLAG_BROTLI,
  maxLevel: 11,
  deflateSync: (data, level) => zlib().brotliCompressSync(data, brotliOptions(data, level)),
  deflate: (data, level, done) => zlib().brotliCompress(data, brotliOptions(data, level), done),
  inflateSync: (data, limit) => zlib().brotliDecompressSync(data, { maxOutputLength: limit }),
  inflate: (data, limit, done) => zlib().brotliDecompress(data, { maxOutputLength: limit }, done),
};

/** What `node:zlib` has from Node 22.15 on. */
interface ZstdFunctions {
  zstdCompressSync(data: Uint8Array, options: object): Buffer;
  zstdCompress(data: Uint8Array, options: object, done: Done): void;
  zstdDecompressSync(data: Uint8Array, options: object): Buffer;
  zstdDecompress(data: Uint8Array, options: object, done: Done): void;
}

const ZSTD_LEVEL = 3;
/** `ZSTD_c_compressionLevel` of zstd.h. */
const ZSTD_LEVEL_PARAMETER = 100;

function zstdOptions(level: number): object {
  return { params: { [ZSTD_LEVEL_PARAMETER]: level === -1 ? ZSTD_LEVEL : level } };
}

const ZSTD: Method = {
  name: "zstd",
  flags: FLAG_ZSTD,
  maxLevel: 22,
  deflateSync: (data, level) => zstd().zstdCompressSync(data, zstdOptions(level)),
  deflate: (data, level, done) => zstd().zstdCompress(data, zstdOptions(level), done),
  inflateSync: (data, limit) => zstd().zstdDecompressSync(data, { maxOutputLength: limit }),
  inflate: (data, limit, done) => zstd().zstdDecompress(data, { maxOutputLength: limit }, done),
};

function zstd(): ZstdFunctions {
  return zlib() as ReturnType<typeof zlib> & ZstdFunctions;
}

function hasZstd(): boolean {
  return "zstdCompress" in zlib();
}

const METHODS: Readonly<Record<Compression, Method>> = {
  zlib: ZLIB,
  gzip: GZIP,
  brotli: BROTLI,
  zstd: ZSTD,
};

/**
 * The compressor of that name.
 * @throws OptionError if there is none, or this Node lacks it
 */
export function methodNamed(name: Compression): Method {
  const method = METHODS[checkChoice(name, "compress.algorithm", keysOf(METHODS))];
  if (method !== ZSTD || hasZstd()) return method;
  throw new OptionError("This Node has no zstd; use Node 22.15 or later, or another algorithm");
}

/** The compressor that an item's flags name, if this Node has it. */
export function methodOf(flags: number): Method | undefined {
  switch (flags & COMPRESSOR_MASK) {
    case FLAG_BROTLI:
      return BROTLI;
    case FLAG_GZIP:
      return GZIP;
    case FLAG_ZSTD:
      return hasZstd() ? ZSTD : undefined;
    default:
      return ZLIB;
  }
}

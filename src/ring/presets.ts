import { crc15, crc32 } from "../hash/crc.js";
import type { HashFunction } from "../hash/function.js";
import { md5 } from "../hash/md5.js";
import type { DistributionBehaviors } from "./behaviors.js";
import { continuum, continuumBefore, laterFirst } from "./circle.js";
import { modula, weightedModula } from "./modula.js";
import {
  fullLabel,
  ketamaDigests,
  md5Points,
  sha1Points,
  socketAddressLabel,
  weightedDigests,
} from "./points.js";
import type { RingBuilder } from "./ring.js";

/** Another client whose placement of keys can be asked for by name. */
export type PlacementPreset =
  | "pylibmc"
  | "pylibmc-ketama"
  | "php"
  | "php-ketama"
  | "libketama"
  | "spymemcached"
  | "python-memcached"
  | "dalli"
  | "gomemcache";

/** A preset is libmemcached with some behaviors, or a hash and a ring of its own. */
export type Preset = { readonly behaviors: DistributionBehaviors } | OwnScheme;

export interface OwnScheme {
  readonly hash: HashFunction;
  readonly ring: RingBuilder;
  /** Whether that client hashes a key together with its namespace or prefix. */
  readonly prefixed: boolean;
}

export const presets: Readonly<Record<PlacementPreset, Preset>> = {
  /** libmemcached's defaults. */
  pylibmc: { behaviors: {} },
  /** `behaviors={"ketama": True}`: 100 points a server, of the key's own hash. */
  "pylibmc-ketama": { behaviors: { ketama: true } },
  /** php-memcached without options. */
  php: { behaviors: {} },
  /** php-memcached with `OPT_LIBKETAMA_COMPATIBLE`, which is `ketama_weighted`. */
  "php-ketama": { behaviors: { ketama_weighted: true } },
  /** Last.fm's own library (`ketama.c`): its labels have the port, also 11211. */
  libketama: {
    hash: md5,
    ring: continuum(md5Points(fullLabel, ketamaDigests)),
    prefixed: false,
  },
  /** Java's `KetamaNodeLocator` with `KETAMA_HASH` and its own key format. */
  spymemcached: {
    hash: md5,
    // Its map keeps the last server to claim a point, a continuum the first.
    ring: continuum(md5Points(socketAddressLabel, weightedDigests), laterFirst),
    prefixed: false,
  },
  /** `memcache.py`: never 0, so that key 0 and key 1 share; weights by repetition. */
  "python-memcached": { hash: (key) => crc15(key) || 1, ring: weightedModula, prefixed: true },
  /** Ruby's `ring.rb`: a key belongs to the point before it. */
  dalli: { hash: crc32, ring: continuumBefore(sha1Points), prefixed: true },
  /** Go's `selector.go`. */
  gomemcache: { hash: crc32, ring: modula, prefixed: false },
};

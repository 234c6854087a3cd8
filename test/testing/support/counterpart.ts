import type { Compat } from "tslibmc/testing";
import { describe } from "vitest";
import { memcachedVersion } from "../../support/memcached.js";

/** The releases that the embedded server answers as, byte for byte. */
const STAND_INS: Readonly<Record<string, Compat>> = { "1.6.18": "1.6.18", "1.6.45": "newest" };

/** The real memcached that the embedded one is held against. */
export const VERSION = memcachedVersion();

/** As what the embedded server answers like the real one. */
export const COMPAT = STAND_INS[VERSION];

/** Holds the embedded server against the real one, if it can stand in for its release. */
export const describeAgainst = COMPAT === undefined ? describe.skip : describe;

if (COMPAT === undefined) {
  const releases = Object.keys(STAND_INS).join(" and ");
  console.warn(
    `The embedded server is not held against memcached ${VERSION}: it answers as ${releases}.`,
  );
}

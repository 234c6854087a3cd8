import { type HashName, hashers, hashFunction } from "../../src/hash/algorithms.js";
import type { Step } from "./step.js";

const KEYS = Array.from({ length: 256 }, (_, i) => `user:profile:${1_000_000 + i}`);

/** Hashing a key of 20 bytes. */
export function hash(): Step[] {
  return (Object.keys(hashers) as HashName[]).map((name) => {
    const hash = hashFunction(name);
    return { name, run: (i) => hash(KEYS[i & 255]!) };
  });
}

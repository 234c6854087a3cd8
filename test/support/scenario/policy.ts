import type { ClientOptions } from "tslibmc";

/** What a client is told to do about lost servers, and what it promises. */
export interface Policy {
  readonly name: string;
  /** @param gutter - a server that stands by */
  readonly options: (gutter: string) => ClientOptions;
  /** Whether the keys of a dead server are served by another. */
  readonly moves: boolean;
  /** Whether no call ever fails as long as one server alone is lost. */
  readonly neverFails: boolean;
  /** Whether a server that comes back is made to forget what it missed. */
  readonly forgets?: true;
}

/** Keys move at the first failure, and are back within two seconds when it is over. */
const MOVING = {
  rampUpMs: 1_000,
  behaviors: { ketama: true, failure_limit: 1, retry_timeout: 1, dead_timeout: 1 },
};

export const POLICIES: readonly Policy[] = [
  {
    name: "none",
    options: () => ({ behaviors: { ketama: true } }),
    moves: false,
    neverFails: false,
  },
  {
    name: "rehash",
    options: () => ({ failover: "rehash", ...MOVING }),
    moves: true,
    neverFails: false,
  },
  {
    name: "rehash, delete",
    options: () => ({ failover: "rehash", rejoin: "delete", ...MOVING }),
    moves: true,
    neverFails: false,
    forgets: true,
  },
  {
    name: "next",
    options: () => ({ failover: "next", ...MOVING }),
    moves: true,
    neverFails: false,
  },
  {
    name: "gutter",
    options: (gutter) => ({ failover: { servers: gutter, ttl: 60 }, ...MOVING }),
    moves: true,
    neverFails: false,
  },
  {
    name: "replicas",
    options: () => ({ behaviors: { ketama: true, num_replicas: 1 } }),
    moves: false,
    neverFails: true,
  },
  {
    name: "miss",
    options: () => ({ onError: "miss", behaviors: { ketama: true } }),
    moves: false,
    neverFails: true,
  },
];

/** It flushes the server for everybody, and so is played by itself. */
export const FLUSHING: Policy = {
  name: "rehash, flush",
  options: () => ({ failover: "rehash", rejoin: "flush", ...MOVING }),
  moves: true,
  neverFails: false,
  forgets: true,
};

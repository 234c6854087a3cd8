import type { ClientOptions } from "../../src/index.js";

/** One way of living with failures. */
export interface Policy {
  readonly name: string;
  readonly options: ClientOptions;
  /** How many servers beside its own may have a key while all of them live. */
  readonly copies: number;
  /** Whether keys of a dead server go elsewhere. */
  readonly moves: boolean;
}

/** Seconds that an item lives on a server that stands in for another. */
const GUTTER_TTL = 60;

/** How many servers stand in for those that are dead: one of fifty, but enough to fail themselves. */
export function gutterSize(servers: number): number {
  return Math.max(4, Math.ceil(servers / 50));
}

/** @param gutter - the servers that stand in for others, `host:port` each */
export function policies(gutter: readonly string[]): Policy[] {
  const alone = { copies: 0, moves: false };
  const moving = { copies: 0, moves: true };
  const copied = { copies: 1, moves: false };
  return [
    { name: "none", options: {}, ...alone },
    { name: 'onError: "miss"', options: { onError: "miss" }, ...alone },
    { name: "rehash", options: { failover: "rehash" }, ...moving },
    {
      name: 'rehash and rejoin: "delete"',
      options: { failover: "rehash", rejoin: "delete" },
      ...moving,
    },
    { name: "next", options: { failover: "next" }, ...moving },
    { name: "gutter", options: { failover: { servers: gutter, ttl: GUTTER_TTL } }, ...moving },
    { name: "num_replicas: 1", options: { behaviors: { num_replicas: 1 } }, ...copied },
    {
      name: "… and readReplicas",
      options: { behaviors: { num_replicas: 1 }, readReplicas: "miss" },
      ...copied,
    },
    {
      name: "… and hedge",
      options: { behaviors: { num_replicas: 1 }, readReplicas: "miss", hedge: true },
      ...copied,
    },
    {
      name: 'rehash and onError: "miss"',
      options: { failover: "rehash", onError: "miss" },
      ...moving,
    },
  ];
}

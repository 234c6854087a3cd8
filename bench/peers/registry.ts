import * as ioredis from "./ioredis.js";
import * as keyv from "./keyv.js";
import * as memcache from "./memcache.js";
import * as memcacheClient from "./memcache-client.js";
import * as memcached from "./memcached.js";
import * as memjs from "./memjs.js";
import * as nothing from "./nothing.js";
import type { Connect, Peer } from "./peer.js";
import { tslibmc } from "./tslibmc.js";

/** A client as it is measured, in a process of its own. */
export interface Subject {
  /** What it is called in the results; several may be of one peer. */
  readonly name: string;
  readonly peer: "tslibmc" | "floor" | "pylibmc" | keyof typeof PEERS;
  /** Where its servers are, `host:port` each. */
  readonly servers: readonly string[];
  /** The build of tslibmc that is measured. */
  readonly build?: string;
  readonly options?: object;
  /** The Node that runs it, if not the one that runs the benchmark. */
  readonly program?: string;
}

const PEERS = {
  memjs: memjs.connect,
  memcached: memcached.connect,
  "memcache-client": memcacheClient.connect,
  memcache: memcache.connect,
  "@keyv/memcache": keyv.connect,
  ioredis: ioredis.connect,
  nothing: nothing.connect,
} as const satisfies Record<string, Connect>;

/** The npm memcached clients. */
export const NPM_PEERS = [
  "memjs",
  "memcached",
  "memcache-client",
  "memcache",
  "@keyv/memcache",
] as const;

export function connectTo({ peer, servers, build = "", options }: Subject): Promise<Peer> {
  if (peer === "floor" || peer === "pylibmc") throw new Error(`${peer} has a process of its own`);
  return (peer === "tslibmc" ? tslibmc(build, options) : PEERS[peer])(servers);
}

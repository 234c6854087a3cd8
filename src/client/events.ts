import type { ConnectionEvents } from "../connection/announcer.js";
import type { MemcachedError } from "../errors.js";
import type { HealthEvent } from "../routing/health.js";
import type { RejoinEvent } from "../routing/rejoin.js";

/** A server as the client knows it. */
export interface ServerInfo {
  /** `host:port`, a unix socket's path, or `udp:host:port`. */
  readonly name: string;
  /** A host name, an address without brackets, or a unix socket's path. */
  readonly host: string;
  /** 0 for a unix socket. */
  readonly port: number;
  /** Its share of the keys on a weighted ring; 1 unless it was given. */
  readonly weight: number;
  /** Its position in the list as it was given. */
  readonly index: number;
}

/** A change that was held back, and not made. */
export interface LostWrite {
  /** The client's method. */
  readonly command: string;
  /** As it was sent, each character a byte. */
  readonly key: string;
  /** What it failed with. */
  readonly error: MemcachedError;
}

/** What a client tells those who listen. */
export interface ClientEvents extends ConnectionEvents {
  /** A server is up, failing, dead or returning. */
  health: HealthEvent;
  /** A server's old values were deleted or flushed, as `rejoin` has it, or could not be. */
  rejoin: RejoinEvent;
  /** A call failed, and counts as a miss, since `onError` is `"miss"`. */
  masked: { readonly command: string; readonly error: MemcachedError };
  /** A change that the behavior `buffer_requests` held back failed, after its call had resolved. */
  lost: LostWrite;
  /** The source that the client follows gave another list: its servers, and whose names came and went. */
  membership: {
    readonly servers: readonly ServerInfo[];
    readonly added: readonly string[];
    readonly removed: readonly string[];
  };
  /** The source failed, or gave a list that cannot be used; the servers stay as they are. */
  membershipError: { readonly error: MemcachedError };
}

/** The names of all of them. */
export const CLIENT_EVENTS: Readonly<Record<keyof ClientEvents, true>> = {
  connect: true,
  connectError: true,
  disconnect: true,
  health: true,
  rejoin: true,
  masked: true,
  lost: true,
  membership: true,
  membershipError: true,
};

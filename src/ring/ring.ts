/** What a ring must know of a server. */
export interface RingServer {
  /** A name, an address without brackets, or the path of a Unix socket. It goes into the ring's points as it is written. */
  readonly host: string;
  /** 0 for a Unix socket. */
  readonly port: number;
  /** A whole number; 0 counts as 1. Rings without weights ignore it. */
  readonly weight: number;
}

/** A server in the order in which a ring takes them. */
export interface Member extends RingServer {
  /** Where the server is in the list as it was given. */
  readonly position: number;
  /** False for a server that was ejected: a ring gives its keys to others. */
  readonly live: boolean;
}

/** The choice of a server for each hash. */
export interface Ring {
  /**
   * @param hash - 0 to 2^32 - 1
   * @returns the server's position in the list as it was given
   */
  locate(hash: number): number;
  /** Whether a server that was ejected keeps its keys, so that nothing can take its place. */
  readonly isFixed?: boolean;
  /** The ring of the same members, other ones of them live, where that is less than to build it. */
  withLive?(members: readonly Member[]): Ring;
}

/** Makes a ring of at least one member. */
export type RingBuilder = (members: readonly Member[]) => Ring;

/** The members that share the keys; there is always one, since with none live all are. */
export function liveMembers(members: readonly Member[]): readonly Member[] {
  return members.filter(({ live }) => live);
}

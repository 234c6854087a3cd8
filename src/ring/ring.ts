/** What a ring must know of a server. */
export interface RingServer {
  /** A name, an address without brackets, or the path of a Unix socket; it goes into the points as it is. */
  readonly host: string;
  /** 0 for a Unix socket. */
  readonly port: number;
  /** A positive integer; only the weighted rings look at it. */
  readonly weight: number;
}

/** A choice of a server for each hash. */
export interface Ring {
  /**
   * @param hash - 0 to 2^32 - 1
   * @returns the server's position in the list as it was given
   */
  locate(hash: number): number;
}

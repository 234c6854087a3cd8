import type { Row } from "../load/data.js";

/**
 * A client under test, in one shape. Each method does what a user of that client would
 * write, and hands its promise on without a layer of our own wherever it can.
 */
export interface Peer {
  /** Whether it carries large values as bytes; otherwise as text. */
  readonly carriesBytes: boolean;
  get(key: string): Promise<unknown>;
  set(key: string, value: string): Promise<unknown>;
  getObject(key: string): Promise<unknown>;
  setObject(key: string, value: Row): Promise<unknown>;
  getBlob(key: string): Promise<unknown>;
  setBlob(key: string, value: string | Buffer): Promise<unknown>;
  getMulti(keys: readonly string[]): Promise<unknown>;
  /** The text of one key in a result of getMulti, whose `index`-th key it was. */
  pick(result: unknown, key: string, index: number): unknown;
  close(): Promise<void> | void;
}

/** Opens a client on these servers, `host:port` each. */
export type Connect = (servers: readonly string[]) => Promise<Peer>;

/**
 * Imports one of the packages of bench/package.json. Its name is no literal, so that the
 * compiler does not look for it: they are installed only to be measured.
 */
export async function load<Module>(name: string): Promise<Module> {
  return (await import(name)) as Module;
}

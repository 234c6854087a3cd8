import type { Command, Operation } from "../operation.js";
import type { Hit, Reply } from "../protocol/reply.js";
import type { GetRequest } from "../protocol/request.js";
import { whenReady } from "../util/ready.js";
import { decodeHit } from "./value.js";

/** Reading (protocol.txt, "Retrieval command", "Touch" and "Meta Get"). */

/** A value with the token that a later `cas` needs. */
export interface ValueWithCas<Value> {
  /** The value. */
  readonly value: Value;
  /** Changes whenever the item does; 64 bits. */
  readonly cas: bigint;
}

/** A plain read; written out, since it is the request that programs make most. */
export function getRequest(key: string): GetRequest {
  return {
    verb: "get",
    key,
    keys: undefined,
    value: true,
    cas: false,
    touch: undefined,
    noreply: false,
    meta: undefined,
  };
}

export function getsRequest(key: string): GetRequest {
  return { ...getRequest(key), cas: true };
}

export function getAndTouchRequest(key: string, cas: boolean, exptime: number): GetRequest {
  return { ...getRequest(key), cas, touch: exptime };
}

export function manyRequest(keys: readonly string[], cas: boolean): GetRequest {
  return { ...getRequest(keys[0]!), keys, cas };
}

export function touchRequest(key: string, exptime: number, noreply: boolean): GetRequest {
  return { ...getRequest(key), value: false, touch: exptime, noreply };
}

export function hasRequest(key: string): GetRequest {
  return { ...getRequest(key), value: false };
}

type WithCas = ValueWithCas<unknown> | undefined;

function decodeWithCas(hit: Hit, operation: Operation, key: string): WithCas | Promise<WithCas> {
  const cas = hit.cas!;
  const value = decodeHit(hit, operation, key);
  return whenReady(value, (decoded) =>
    decoded === undefined ? undefined : { value: decoded, cas },
  );
}

/** A read of one key that resolves to the value. */
function valueRead(name: string): Command<unknown> {
  return {
    name,
    idempotent: true,
    read: (reply, operation) =>
      reply.kind === "hit" ? decodeHit(reply, operation, operation.request.key) : undefined,
  };
}

/** The same with the item's cas token. */
function casRead(name: string): Command<WithCas> {
  return {
    name,
    idempotent: true,
    read: (reply, operation) =>
      reply.kind === "hit" ? decodeWithCas(reply, operation, operation.request.key) : undefined,
  };
}

export const get: Command<unknown> = valueRead("get");
export const gets: Command<WithCas> = casRead("gets");
export const getAndTouch: Command<unknown> = valueRead("getAndTouch");
export const getsAndTouch: Command<WithCas> = casRead("getsAndTouch");

export const touch: Command<boolean> = {
  name: "touch",
  idempotent: true,
  read: (reply) => reply.kind === "ok" || reply.kind === "hit",
};

export const touchMulti: Command<boolean> = { ...touch, name: "touchMulti" };

export const has: Command<boolean> = {
  name: "has",
  idempotent: true,
  read: (reply) => reply.kind === "hit",
};

/**
 * One line of a many-key read. Items go into the caller's map under the keys as the caller
 * gave them, where these stand already; what cannot be decoded is remembered and reported
 * with the rest.
 */
export class GetMany<Key> implements Command<Promise<void> | undefined> {
  readonly name: string;
  readonly idempotent = true;
  readonly #keys: readonly Key[];
  readonly #results: Map<Key, unknown>;
  readonly #decode: (hit: Hit, operation: Operation, key: string) => unknown;
  /** The first key without a value, as long as they come in the keys' order. */
  #next = 0;
  #decoding: Promise<unknown>[] | undefined = undefined;
  /** In an object: a codec may throw anything. */
  #failure: { readonly error: unknown } | undefined = undefined;

  constructor(name: string, keys: readonly Key[], results: Map<Key, unknown>, cas: boolean) {
    this.name = name;
    this.#keys = keys;
    this.#results = results;
    this.#decode = cas ? decodeWithCas : decodeHit;
  }

  collect(index: number, hit: Hit, operation: Operation): void {
    const key = this.#keys[index]!;
    const { keys } = operation.request as GetRequest;
    try {
      const value = this.#decode(hit, operation, keys?.[index] ?? operation.request.key);
      if (value instanceof Promise) {
        this.#await(key, value);
      } else if (value !== undefined) {
        this.#results.set(key, value);
        if (index === this.#next) this.#next++;
      }
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  /** A promise if there are values that take longer to decode. */
  read(reply: Reply, operation: Operation): Promise<void> | undefined {
    if (reply.kind === "hit") this.collect(0, reply, operation); // one key, asked alone
    if (this.#decoding !== undefined) return Promise.all(this.#decoding).then(() => this.#finish());
    this.#finish();
    return undefined;
  }

  /** Takes out the keys that have no value: a miss is not in the map. */
  dropMisses(): void {
    for (const key of this.#keys) {
      if (this.#results.get(key) === undefined) this.#results.delete(key);
    }
  }

  #await(key: Key, decoding: Promise<unknown>): void {
    const kept = decoding.then(
      (value) => {
        // Where its line has failed meanwhile, the results have been given to the caller.
        if (value !== undefined && this.#results.has(key)) this.#results.set(key, value);
      },
      (error) => {
        this.#failure ??= { error };
      },
    );
    (this.#decoding ??= []).push(kept);
  }

  #finish(): void {
    if (this.#next < this.#keys.length) this.dropMisses();
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

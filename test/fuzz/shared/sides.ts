import {
  type Client,
  ClientErrorReply,
  type CompressOptions,
  type Key,
  ValueTooLargeError,
} from "tslibmc";
import type { Interpreter } from "../../support/interpreter.js";
import { describe, type Words } from "../../value/python.js";
import { build, type Recipe, shorten } from "./value.js";

/** How a call stores: the compression is off at a length of 0. */
export interface Storing {
  readonly ttl: number;
  readonly minLength: number;
  readonly level: number;
}

/** What a call comes to that says no more than whether, or why not. */
export type Verdict = boolean | "too large" | "refused";

export type Mode = "set" | "add" | "replace";

/** The calls that both clients have, with one form of results; a miss is undefined. */
export interface Side {
  readonly name: "node" | "python";
  get(key: Key): Promise<Words | undefined>;
  gets(key: Key): Promise<{ words: Words; token: string } | undefined>;
  /** By the keys' bytes as latin1, as all that is about many keys. */
  getMulti(keys: readonly Key[], prefix: string): Promise<Map<string, Words>>;
  has(key: Key): Promise<boolean>;
  store(mode: Mode, key: Key, value: Recipe, how: Storing): Promise<Verdict>;
  storeMulti(
    mode: "set" | "add",
    entries: readonly (readonly [Key, Recipe])[],
    prefix: string,
    how: Storing,
  ): Promise<Set<string>>;
  join(how: "append" | "prepend", key: Key, value: Recipe): Promise<boolean>;
  cas(key: Key, value: Recipe, token: string, ttl: number): Promise<boolean>;
  count(how: "incr" | "decr", key: Key, delta: number): Promise<string | "refused" | undefined>;
  /** Whether all were there. */
  incrMulti(keys: readonly Key[], prefix: string, delta: number): Promise<boolean>;
  touch(key: Key, ttl: number): Promise<boolean>;
  delete(key: Key): Promise<boolean>;
  /** Whether all were there. */
  deleteMulti(keys: readonly Key[], prefix: string): Promise<boolean>;
  /** The server's position in the list. */
  placeOf(key: Key): Promise<number>;
}

export function nameOf(key: Key): string {
  return Buffer.from(key as string).toString("latin1");
}

/** What `describe` says of a value, as the other side would say it. */
export function wordsOf(value: unknown): Words {
  return shorten(describe(value));
}

export class NodeSide implements Side {
  readonly name = "node";
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  async get(key: Key) {
    const value: unknown = await this.#client.get(key);
    return value === undefined ? undefined : wordsOf(value);
  }

  async gets(key: Key) {
    const item = await this.#client.gets(key);
    return item && { words: wordsOf(item.value), token: String(item.cas) };
  }

  async getMulti(keys: readonly Key[], keyPrefix: string) {
    const found = await this.#client.getMulti(keys, { keyPrefix });
    return new Map(Array.from(found, ([key, value]) => [nameOf(key), wordsOf(value)]));
  }

  has(key: Key) {
    return this.#client.has(key);
  }

  store(mode: Mode, key: Key, value: Recipe, how: Storing): Promise<Verdict> {
    return this.#client[mode](key, build(value), storing(how)).catch((error: unknown) => {
      if (error instanceof ValueTooLargeError) return "too large";
      throw error;
    });
  }

  async storeMulti(
    mode: "set" | "add",
    entries: readonly (readonly [Key, Recipe])[],
    keyPrefix: string,
    how: Storing,
  ) {
    const mapping = entries.map(([key, value]) => [key, build(value)] as const);
    const options = { keyPrefix, ...storing(how) };
    const failed = await (mode === "set"
      ? this.#client.setMulti(mapping, options)
      : this.#client.addMulti(mapping, options));
    return new Set(failed.map(nameOf));
  }

  join(how: "append" | "prepend", key: Key, value: Recipe) {
    return this.#client[how](key, build(value) as string | Buffer);
  }

  cas(key: Key, value: Recipe, token: string, ttl: number) {
    return this.#client.cas(key, build(value), BigInt(token), { ttl, compress: false });
  }

  async count(how: "incr" | "decr", key: Key, delta: number) {
    try {
      const number = await this.#client[how](key, BigInt(delta));
      return number === undefined ? undefined : String(number);
    } catch (error) {
      if (error instanceof ClientErrorReply) return "refused";
      throw error;
    }
  }

  async incrMulti(keys: readonly Key[], keyPrefix: string, delta: number) {
    return (await this.#client.incrMulti(keys, delta, { keyPrefix })).size === keys.length;
  }

  touch(key: Key, ttl: number) {
    return this.#client.touch(key, ttl);
  }

  delete(key: Key) {
    return this.#client.delete(key);
  }

  async deleteMulti(keys: readonly Key[], keyPrefix: string) {
    return (await this.#client.deleteMulti(keys, { keyPrefix })).length === 0;
  }

  async placeOf(key: Key) {
    return this.#client.serverFor(key).index;
  }
}

function storing({ ttl, minLength, level }: Storing) {
  const compress: CompressOptions | false = minLength > 0 && { minLength, level };
  return { ttl, compress };
}

type Answer = { value: Words } | { error: string; message: string };

const MISS: Recipe = { s: "there is nothing under this key" };

export class PythonSide implements Side {
  readonly name = "python";
  readonly #python: Interpreter;

  constructor(python: Interpreter) {
    this.#python = python;
  }

  async get(key: Key) {
    const words = await this.#value("get", [recipeOf(key), MISS]);
    return isMiss(words) ? undefined : words;
  }

  async gets(key: Key) {
    const pair = (await this.#value("gets", [recipeOf(key)])) as {
      l: [Words, { n: string } | null];
    };
    const [words, token] = pair.l;
    return token === null ? undefined : { words, token: token.n };
  }

  async getMulti(keys: readonly Key[], prefix: string) {
    const found = await this.#value("get_multi", [list(keys)], { key_prefix: { s: prefix } });
    const { d } = found as { d: [{ s: string } | { b: string }, Words][] };
    return new Map(d.map(([key, words]) => [nameOf(build(key) as Key), words]));
  }

  async has(key: Key) {
    return (await this.#value("contains", [recipeOf(key)])) as boolean;
  }

  store(mode: Mode, key: Key, value: Recipe, how: Storing) {
    return this.#verdict(mode, [recipeOf(key), value], named(how), {
      TooBig: "too large",
      NotFound: false, // what a replace of nothing is over the binary protocol
    }) as Promise<Verdict>;
  }

  async storeMulti(
    mode: "set" | "add",
    entries: readonly (readonly [Key, Recipe])[],
    prefix: string,
    how: Storing,
  ) {
    const mapping = { d: entries.map(([key, value]): [Recipe, Recipe] => [recipeOf(key), value]) };
    const options = { ...named(how), key_prefix: { s: prefix } };
    const failed = (await this.#value(`${mode}_multi`, [mapping], options)) as { l: Recipe[] };
    return new Set(failed.l.map((key) => nameOf(build(key) as Key)));
  }

  join(how: "append" | "prepend", key: Key, value: Recipe) {
    return this.#verdict(how, [recipeOf(key), value]) as Promise<boolean>;
  }

  cas(key: Key, value: Recipe, token: string, ttl: number) {
    const args = [recipeOf(key), value, { n: token }, { n: String(ttl) }];
    return this.#verdict("cas", args, {}, { NotFound: false }) as Promise<boolean>;
  }

  async count(how: "incr" | "decr", key: Key, delta: number) {
    const args = [recipeOf(key), { n: String(delta) }];
    const words = await this.#verdict(
      how,
      args,
      {},
      {
        NotFound: undefined,
        ClientError: "refused",
        UnknownReadFailure: "refused",
      },
    );
    return typeof words === "object"
      ? (words as { n: string }).n
      : (words as "refused" | undefined);
  }

  incrMulti(keys: readonly Key[], prefix: string, delta: number) {
    const options = { key_prefix: { s: prefix }, delta: { n: String(delta) } };
    return this.#verdict("incr_multi", [list(keys)], options, { NotFound: false }).then(
      (words) => words === null,
    );
  }

  touch(key: Key, ttl: number) {
    return this.#verdict("touch", [recipeOf(key), { n: String(ttl) }]) as Promise<boolean>;
  }

  delete(key: Key) {
    return this.#verdict("delete", [recipeOf(key)]) as Promise<boolean>;
  }

  deleteMulti(keys: readonly Key[], prefix: string) {
    const options = { key_prefix: { s: prefix } };
    return this.#verdict("delete_multi", [list(keys)], options) as Promise<boolean>;
  }

  async placeOf(key: Key) {
    return Number(((await this.#value("hash", [recipeOf(key)])) as { n: string }).n);
  }

  #value(call: string, args: readonly Recipe[], options: Record<string, Recipe> = {}) {
    return this.#verdict(call, args, options) as Promise<Words>;
  }

  /** @param verdicts - what exceptions say, by their names; any other is one */
  async #verdict(
    call: string,
    args: readonly Recipe[],
    options: Record<string, Recipe> = {},
    verdicts: Record<string, Verdict | undefined> = {},
  ): Promise<Words | Verdict | undefined> {
    const answer = await this.#python.ask<Answer>({ call, args, named: options });
    if (!("error" in answer)) return answer.value;
    if (answer.error in verdicts) return verdicts[answer.error];
    throw new Error(`pylibmc's ${call}: ${answer.error}: ${answer.message}`);
  }
}

function recipeOf(key: Key): Recipe {
  return typeof key === "string" ? { s: key } : { b: Buffer.from(key).toString("hex") };
}

function list(keys: readonly Key[]): Recipe {
  return { l: keys.map(recipeOf) };
}

function named({ ttl, minLength, level }: Storing): Record<string, Recipe> {
  return {
    time: { n: String(ttl) },
    min_compress_len: { n: String(minLength) },
    compress_level: { n: String(level) },
  };
}

function isMiss(words: Words): boolean {
  return JSON.stringify(words) === JSON.stringify(MISS);
}

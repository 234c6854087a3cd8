import type { Client, Key } from "tslibmc";

/** One call, drawn at random: each kind of call takes of it what it needs. */
export interface Call {
  readonly kind: keyof typeof CALLS;
  readonly key: Key;
  readonly keys: readonly Key[];
  readonly value: unknown;
  readonly delta: number;
  /** Whether no answer is asked for, where a call can be silent. */
  readonly silent: boolean;
}

/** What a call came to, and what it has to come to. */
export interface Outcome {
  readonly got: Promise<unknown>;
  readonly want: unknown;
  /** Whether the server was not asked; left out where the call has an answer in any case. */
  readonly silent?: boolean;
}

/** A cache as everybody imagines it: a map. */
export class Model {
  /** Whether values are stored as they are, so that the server can count and join them. */
  readonly isPlain: boolean;
  readonly #items = new Map<string, unknown>();

  constructor(isPlain: boolean) {
    this.isPlain = isPlain;
  }

  has(key: Key): boolean {
    return this.#items.has(nameOf(key));
  }

  get(key: Key): unknown {
    return this.#items.get(nameOf(key));
  }

  set(key: Key, value: unknown): void {
    this.#items.set(nameOf(key), value);
  }

  delete(key: Key): boolean {
    return this.#items.delete(nameOf(key));
  }

  /** What is there of some keys. */
  all(keys: readonly Key[]): Map<Key, unknown> {
    return new Map(keys.filter((key) => this.has(key)).map((key) => [key, this.get(key)]));
  }

  /** The keys that are not there. */
  missing(keys: readonly Key[]): Set<Key> {
    return new Set(keys.filter((key) => !this.has(key)));
  }
}

function nameOf(key: Key): string {
  return Buffer.from(key as string).toString("latin1");
}

type Perform = (client: Client, model: Model, call: Call) => Outcome;

/** How each kind of call is made, and what it makes of the model. */
export const CALLS = {
  get: (client, model, { key }) => ({ got: client.get(key), want: model.get(key) }),
  gets: (client, model, { key }) => ({
    got: client.gets(key).then((item) => item?.value),
    want: model.get(key),
  }),
  has: (client, model, { key }) => ({ got: client.has(key), want: model.has(key) }),
  getAndTouch: (client, model, { key }) => ({
    got: client.getAndTouch(key, 1000),
    want: model.get(key),
  }),
  getMulti: (client, model, { keys }) => ({
    got: client.getMulti(keys),
    want: model.all(keys),
  }),
  set: (client, model, { key, value, silent }) => {
    model.set(key, value);
    return { got: client.set(key, value, { noreply: silent }), want: true };
  },
  add: (client, model, { key, value, silent }) => {
    const want = !model.has(key);
    if (want) model.set(key, value);
    return { got: client.add(key, value, { noreply: silent }), want, silent };
  },
  replace: (client, model, { key, value, silent }) => {
    const want = model.has(key);
    if (want) model.set(key, value);
    return { got: client.replace(key, value, { noreply: silent }), want, silent };
  },
  touch: (client, model, { key, silent }) => {
    return { got: client.touch(key, 1000, { noreply: silent }), want: model.has(key), silent };
  },
  delete: (client, model, { key, silent }) => {
    return { got: client.delete(key, { noreply: silent }), want: model.delete(key), silent };
  },
  append: (client, model, call) => joined(client, model, call, "append"),
  prepend: (client, model, call) => joined(client, model, call, "prepend"),
  incr: (client, model, call) => counted(client, model, call, call.delta),
  decr: (client, model, call) => counted(client, model, call, -call.delta),
  setMulti: (client, model, { keys, value, silent }) => {
    for (const key of keys) model.set(key, value);
    const mapping = keys.map((key) => [key, value] as const);
    return { got: client.setMulti(mapping, { noreply: silent }), want: [] };
  },
  addMulti: (client, model, { keys, value, silent }) => {
    const absent = model.missing(keys);
    const want = new Set(keys.filter((key) => !absent.has(key)));
    for (const key of absent) model.set(key, value);
    const mapping = keys.map((key) => [key, value] as const);
    return { got: asSet(client.addMulti(mapping, { noreply: silent })), want, silent };
  },
  deleteMulti: (client, model, { keys, silent }) => {
    const want = model.missing(keys);
    for (const key of keys) model.delete(key);
    return { got: asSet(client.deleteMulti(keys, { noreply: silent })), want, silent };
  },
  touchMulti: (client, model, { keys, silent }) => {
    const want = model.missing(keys);
    return { got: asSet(client.touchMulti(keys, 1000, { noreply: silent })), want, silent };
  },
} satisfies Record<string, Perform>;

/** Joins text with text and bytes with bytes; any other item is read in its place. */
function joined(client: Client, model: Model, call: Call, how: "append" | "prepend"): Outcome {
  const { key, silent } = call;
  const value = model.get(key);
  const isText = typeof value === "string";
  if (!model.isPlain || !(value === undefined || isText || Buffer.isBuffer(value))) {
    return CALLS.get(client, model, call);
  }
  const more = isText ? "\u00e9+" : Buffer.from([0, 255]);
  const parts = how === "append" ? [value, more] : [more, value];
  if (isText) model.set(key, parts.join(""));
  else if (value !== undefined) model.set(key, Buffer.concat(parts as Buffer[]));
  return { got: client[how](key, more, { noreply: silent }), want: value !== undefined, silent };
}

/** Counts where there is a number, or nothing; any other item is read in its place. */
function counted(client: Client, model: Model, call: Call, by: number): Outcome {
  const { key, delta, silent } = call;
  const number = model.get(key);
  const isCounter = number === undefined || (typeof number === "number" && number >= 0);
  if (!isCounter || !model.isPlain) {
    return CALLS.get(client, model, call);
  }
  const want = number === undefined ? undefined : Math.max(0, Number(number) + by);
  if (want !== undefined) model.set(key, want);
  const options = { noreply: silent };
  const got = by < 0 ? client.decr(key, delta, options) : client.incr(key, delta, options);
  return { got, want, silent };
}

/** Which server answered first is nobody's business. */
async function asSet<T>(list: Promise<T[]>): Promise<Set<T>> {
  return new Set(await list);
}

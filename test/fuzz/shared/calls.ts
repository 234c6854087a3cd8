import type { Key } from "tslibmc";
import {
  counted,
  type Item,
  joinable,
  joined,
  type Model,
  numberOf,
  sizeOf,
  stored,
  withPrefix,
} from "./model.js";
import { type Mode, nameOf, type Side, type Storing } from "./sides.js";
import type { Recipe } from "./value.js";

/** One call, drawn at random: each kind of call takes of it what it needs. */
export interface Call {
  readonly kind: keyof typeof CALLS;
  readonly side: "node" | "python";
  readonly key: Key;
  readonly keys: readonly Key[];
  readonly prefix: string;
  readonly value: Recipe;
  readonly values: readonly Recipe[];
  readonly how: Storing;
  readonly delta: number;
}

/** What a call has to know of its run. */
export interface Setting {
  readonly model: Model;
  readonly serializer: "json" | "pickle";
  /** Whether the calling side speaks the binary protocol. */
  readonly binary: boolean;
  /** In front of all keys, which the server sees and the calls do not. */
  readonly namespace: string;
}

/** What a call came to, and what it has to come to. */
interface Outcome {
  readonly got: unknown;
  readonly want: unknown;
}

const ITEM_LIMIT = 1_048_576;
const MONTH = 2_592_000;
/** Near 2^53 numbers end that are no bigints, as those of `incrMulti` are not. */
const MAX_COUNTED = 2n ** 52n;

export type Perform = (side: Side, setting: Setting, call: Call) => Promise<Outcome>;

/** How each kind of call is made, and what it makes of the model. */
export const CALLS = {
  get: async (side, { model }, { key }) => ({
    want: model.read(side, key),
    got: await side.get(key),
  }),
  gets: async (side, { model }, { key }) => {
    const got = await side.gets(key);
    const item = model.item(key);
    if (item && got) model.tokens.set(nameOf(key), { token: got.token, version: item.version });
    return { want: model.read(side, key), got: got?.words };
  },
  getMulti: async (side, { model }, { keys, prefix }) => ({
    want: model.readAll(side, keys, prefix),
    got: await side.getMulti(keys, prefix),
  }),
  has: async (side, { model }, { key }) => ({ want: model.has(key), got: await side.has(key) }),
  set: (side, setting, call) => store("set", side, setting, call),
  add: (side, setting, call) => store("add", side, setting, call),
  replace: (side, setting, call) => store("replace", side, setting, call),
  setMulti: (side, setting, call) => storeMulti("set", side, setting, call),
  addMulti: (side, setting, call) => storeMulti("add", side, setting, call),
  append: (side, setting, call) => join("append", side, setting, call),
  prepend: (side, setting, call) => join("prepend", side, setting, call),
  cas: (side, setting, call) => swap(side, setting, call),
  incr: (side, setting, call) => count("incr", side, setting, call),
  decr: (side, setting, call) => count("decr", side, setting, call),
  incrMulti: async (side, { model }, { keys, prefix, delta }) => {
    let want = true;
    const countable: Key[] = [];
    for (const each of keys) {
      const key = withPrefix(prefix, each);
      const item = model.item(key);
      const number = item && numberOf(item);
      if (item === undefined) want = false;
      else if (typeof number === "bigint" && number < MAX_COUNTED) {
        model.put(key, counted(item, number, BigInt(delta)) as Item);
      } else continue;
      countable.push(each);
    }
    return { want, got: await side.incrMulti(countable, prefix, delta) };
  },
  touch: async (side, setting, { key, how }) => {
    const item = setting.model.item(key);
    const want = item !== undefined;
    const span = life(side, setting, how.ttl);
    if (span === "none") setting.model.delete(key);
    else if (item) item.ttl = span;
    return { want, got: await side.touch(key, how.ttl) };
  },
  delete: async (side, { model }, { key }) => ({
    want: model.delete(key),
    got: await side.delete(key),
  }),
  deleteMulti: async (side, { model }, { keys, prefix }) => ({
    want: keys.map((key) => model.delete(withPrefix(prefix, key))).every(Boolean),
    got: await side.deleteMulti(keys, prefix),
  }),
} satisfies Record<string, Perform>;

async function store(mode: Mode, side: Side, setting: Setting, call: Call): Promise<Outcome> {
  const { model } = setting;
  const { key, value, how } = call;
  const item = itemOf(side, setting, value, how);
  const run = async (want: boolean | "too large") => ({
    want,
    got: await side.store(mode, key, value, how),
  });
  if (isTooLarge(setting, key, item)) {
    // The server takes away what a set would have replaced; ours is refused before it is sent.
    const isSent = side.name === "python" || (item.data?.length ?? 0) <= ITEM_LIMIT;
    if (isSent && mode === "set") model.delete(key);
    return run("too large");
  }
  const want = mode === "set" || model.has(key) === (mode === "replace");
  if (want) put(side, setting, key, item, how.ttl);
  return run(want);
}

async function storeMulti(
  mode: "set" | "add",
  side: Side,
  setting: Setting,
  { keys, values, prefix, how }: Call,
): Promise<Outcome> {
  const entries = keys.map((key, i) => [key, values[i % values.length] ?? null] as const);
  const want = new Set<string>();
  for (const [each, value] of entries) {
    const key = withPrefix(prefix, each);
    if (mode === "add" && setting.model.has(key)) want.add(nameOf(each));
    else put(side, setting, key, itemOf(side, setting, value, how), how.ttl);
  }
  return { want, got: await side.storeMulti(mode, entries, prefix, how) };
}

async function join(
  how: "append" | "prepend",
  side: Side,
  setting: Setting,
  call: Call,
): Promise<Outcome> {
  const item = setting.model.item(call.key);
  const more: Recipe | undefined = item === undefined ? { s: "+" } : joinable(item);
  if (more === undefined) return CALLS.get(side, setting, call);
  if (item) setting.model.put(call.key, joined(item, how, more));
  return { want: item !== undefined, got: await side.join(how, call.key, more) };
}

async function swap(side: Side, setting: Setting, call: Call): Promise<Outcome> {
  const { model } = setting;
  const known = model.tokens.get(nameOf(call.key));
  const item = itemOf(side, setting, call.value, { ...call.how, minLength: 0 });
  if (known === undefined || isTooLarge(setting, call.key, item)) {
    return CALLS.gets(side, setting, call);
  }
  // A token is a token, whichever side read it; and it is spent with its item.
  const isFresh = model.item(call.key)?.version === known.version;
  if (isFresh) put(side, setting, call.key, item, call.how.ttl);
  const got = await side.cas(call.key, call.value, known.token, call.how.ttl);
  return { want: isFresh, got };
}

async function count(
  how: "incr" | "decr",
  side: Side,
  setting: Setting,
  call: Call,
): Promise<Outcome> {
  const { key, delta } = call;
  const item = setting.model.item(key);
  const number = item && numberOf(item);
  if (item === undefined || number === "none") {
    return { want: item && "refused", got: await side.count(how, key, delta) };
  }
  const sum =
    number === undefined
      ? undefined
      : counted(item, number, BigInt(how === "incr" ? delta : -delta));
  if (sum === undefined) return CALLS.get(side, setting, call);
  setting.model.put(key, sum);
  return { want: String(sum.data), got: await side.count(how, key, delta) };
}

function itemOf(side: Side, { serializer }: Setting, value: Recipe, how: Storing): Item {
  const form = stored(side, value, serializer);
  const isPacked = how.minLength > 0 && (form.data?.length ?? Infinity) >= how.minLength;
  return { ...form, isPacked, hasBlanks: false, ttl: 0, version: {} };
}

function isTooLarge({ namespace }: Setting, key: Key, item: Item): boolean {
  return !item.isPacked && sizeOf(withPrefix(namespace, key), item) > ITEM_LIMIT;
}

function put(side: Side, setting: Setting, key: Key, item: Item, ttl: number): void {
  const span = life(side, setting, ttl);
  if (span === "none") setting.model.delete(key);
  else setting.model.put(key, { ...item, ttl: span });
}

/** How long what a side writes lives: pylibmc sends its time as it is, modulo 2^32. */
function life(side: Side, { binary }: Setting, ttl: number): number | undefined | "none" {
  if (side.name === "node") return ttl < 0 ? "none" : ttl;
  if (ttl < 0) return binary ? undefined : "none";
  return ttl > MONTH ? "none" : ttl; // a date of January 1970
}

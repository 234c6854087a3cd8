import { createHash } from "node:crypto";
import fc from "fast-check";
import type { Words } from "../../value/python.js";

/** How either language makes a value: what `describe` says of it, and what only one of them has. */
export type Recipe =
  | Exclude<Words, { l: Words[] } | { set: Words[] } | { d: [Words, Words][] } | { t: number }>
  | { l: Recipe[] }
  | { tuple: Recipe[] }
  | { set: Recipe[] }
  | { d: [Recipe, Recipe][] }
  /** Text or bytes, so many times. */
  | { times: [string, number]; of: "s" | "b" };

/** Makes what a recipe says, for this client. */
export function build(recipe: Recipe): unknown {
  if (recipe === null || typeof recipe === "boolean") return recipe;
  if ("n" in recipe) {
    const integer = BigInt(recipe.n);
    return Number.isSafeInteger(Number(integer)) ? Number(integer) : integer;
  }
  if ("f" in recipe) {
    return recipe.f === "nan" ? Number.NaN : Buffer.from(recipe.f, "hex").readDoubleBE();
  }
  if ("s" in recipe) return recipe.s;
  if ("b" in recipe) return Buffer.from(recipe.b, "hex");
  if ("times" in recipe) {
    const text = recipe.times[0].repeat(recipe.times[1]);
    return recipe.of === "s" ? text : Buffer.from(text);
  }
  if ("l" in recipe) return recipe.l.map(build);
  if ("tuple" in recipe) return recipe.tuple.map(build);
  if ("set" in recipe) return new Set(recipe.set.map(build));
  const entries = recipe.d.map(([key, value]) => [build(key), build(value)] as const);
  const isPlain = entries.every(([key]) => typeof key === "string");
  return isPlain ? Object.fromEntries(entries as [string, unknown][]) : new Map(entries);
}

/** Whether JSON has words for it, or it is stored without any. */
export function isJson(recipe: Recipe): boolean {
  return recipe === null || typeof recipe === "boolean" || !isStructure(recipe) || hasJson(recipe);
}

function isStructure(recipe: object): boolean {
  return ["f", "l", "tuple", "set", "d"].some((kind) => kind in recipe);
}

function hasJson(recipe: Recipe): boolean {
  if (recipe === null || typeof recipe === "boolean" || "s" in recipe) return true;
  if ("l" in recipe) return recipe.l.every(hasJson);
  if ("tuple" in recipe) return recipe.tuple.every(hasJson);
  if ("d" in recipe) {
    return recipe.d.every(([key, value]) => typeof build(key) === "string" && hasJson(value));
  }
  const value = build(recipe);
  return typeof value === "number" && Number.isFinite(value) && !Object.is(value, -0);
}

/** Long leaves as their hash, so that a megabyte need not be compared, or printed, in full. */
export function shorten(words: Words): Words {
  if (words === null || typeof words === "boolean" || "t" in words) return words;
  if ("l" in words) return { l: words.l.map(shorten) };
  if ("set" in words) return { set: words.set.map(shorten) };
  if ("d" in words) return { d: words.d.map(([key, value]) => [shorten(key), shorten(value)]) };
  const [[kind, leaf]] = Object.entries(words) as [[string, string]];
  if (leaf.length < LONG) return words;
  const sha1 = createHash("sha1").update(leaf).digest("hex");
  return { s: `${kind} of sha1 ${sha1}` };
}

const LONG = 2000;

/** The same in Python, with what runs a client's calls: the whole of the other side. */
export const PYTHON_SIDE = `
import hashlib, pylibmc

def build(r):
    if r is None or isinstance(r, bool):
        return r
    if "n" in r:
        return int(r["n"])
    if "f" in r:
        return math.nan if r["f"] == "nan" else struct.unpack(">d", bytes.fromhex(r["f"]))[0]
    if "s" in r:
        return r["s"]
    if "b" in r:
        return bytes.fromhex(r["b"])
    if "times" in r:
        text = r["times"][0] * r["times"][1]
        return text if r["of"] == "s" else text.encode()
    if "l" in r:
        return [build(x) for x in r["l"]]
    if "tuple" in r:
        return tuple(build(x) for x in r["tuple"])
    if "set" in r:
        return set(build(x) for x in r["set"])
    return {build(k): build(v) for k, v in r["d"]}

def shorten(w):
    if w is None or isinstance(w, bool) or "t" in w:
        return w
    if "l" in w:
        return {"l": [shorten(x) for x in w["l"]]}
    if "set" in w:
        return {"set": [shorten(x) for x in w["set"]]}
    if "d" in w:
        return {"d": [[shorten(k), shorten(v)] for k, v in w["d"]]}
    (kind, leaf), = w.items()
    if len(leaf.encode("utf-16-le")) // 2 < ${LONG}:
        return w
    return {"s": "%s of sha1 %s" % (kind, hashlib.sha1(leaf.encode()).hexdigest())}

client = None

def answer(question):
    global client
    if "open" in question:
        options = question["open"]
        if "namespace" in options["behaviors"]:
            options["behaviors"]["namespace"] = options["behaviors"]["namespace"].encode()
        if client is not None:
            client.disconnect_all()
        client = pylibmc.Client(**options)
        return {"value": None}
    method = question["call"]
    arguments = [build(each) for each in question["args"]]
    named = {name: build(each) for name, each in question["named"].items()}
    try:
        if method == "contains":
            return {"value": arguments[0] in client}
        return {"value": shorten(describe(getattr(client, method)(*arguments, **named)))}
    except (pylibmc.Error, ValueError) as error:
        return {"error": type(error).__name__, "message": str(error)}
`;

const float = fc.double().map((number): Recipe => {
  if (Number.isNaN(number)) return { f: "nan" };
  const bits = Buffer.alloc(8);
  bits.writeDoubleBE(number);
  return { f: bits.toString("hex") };
});
const integer = fc
  .oneof(
    fc.nat(120),
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
    fc.constantFrom(2n ** 53n, 2n ** 53n - 1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n, 10n ** 4299n),
  )
  .map((number): Recipe => ({ n: String(number) }));
const text = fc
  .oneof(
    fc.string({ unit: "grapheme", maxLength: 200 }),
    fc.string({ unit: "binary", maxLength: 20 }),
    fc.constantFrom("", "7", "18446744073709551615", "\0", "\r\nEND\r\n"),
  )
  .map((s): Recipe => ({ s }));
const bytes = fc
  .oneof(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(Buffer.from("12"), Buffer.alloc(0)))
  .map((data): Recipe => ({ b: Buffer.from(data).toString("hex") }));

/** What Python can hash and no two of which are equal to it: 1, 1.0 and True are one key. */
const scalarKey = fc.oneof(
  text,
  fc.integer().map((n): Recipe => ({ n: String(n) })),
);
const hashable = fc.oneof(
  scalarKey,
  fc.array(scalarKey, { maxLength: 3 }).map((tuple): Recipe => ({ tuple })),
);
const unlike = { maxLength: 5, selector: (recipe: unknown) => JSON.stringify(recipe) };

const { anything } = fc.letrec<{ anything: Recipe; list: Recipe; table: Recipe }>((tie) => ({
  anything: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    fc.constantFrom<Recipe>(null, true, false),
    text,
    bytes,
    integer,
    float,
    tie("list"),
    tie("table"),
    fc.uniqueArray(hashable, unlike).map((set): Recipe => ({ set })),
  ),
  list: fc
    .tuple(fc.boolean(), fc.array(tie("anything"), { maxLength: 5 }))
    .map(([isTuple, l]): Recipe => (isTuple ? { tuple: l } : { l })),
  table: fc
    .tuple(fc.uniqueArray(hashable, unlike), fc.array(tie("anything"), { minLength: 5 }))
    .map(([keys, values]): Recipe => ({ d: keys.map((key, i) => [key, values[i]!]) })),
}));

/** Values that go both ways. */
export const VALUE: fc.Arbitrary<Recipe> = fc.oneof(
  { weight: 3, arbitrary: anything },
  text,
  bytes,
  { weight: 2, arbitrary: integer },
  fc.record({
    times: fc.tuple(
      fc.constantFrom("x", "é", "lorem ipsum "),
      fc.constantFrom(1, 1_000, 5_461, 10_923),
    ),
    of: fc.constantFrom("s" as const, "b" as const),
  }),
);

/** Lengths at which something changes: a thread, a connection, the item's limit. */
export const LARGE_VALUE: fc.Arbitrary<Recipe> = fc.record({
  times: fc.tuple(
    fc.constant("x"),
    fc.constantFrom(65_535, 65_536, 131_071, 131_072, 1_000_000, 1_048_576, 1_048_577),
  ),
  of: fc.constantFrom("s" as const, "b" as const),
});

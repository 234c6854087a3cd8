import { runPython as run } from "../support/python.js";

/**
 * What both sides say of a value, so that equal words mean equal values: what Python
 * calls list or tuple is "l" here, numbers are compared as the mathematics they are.
 */
export type Words =
  | null
  | boolean
  | { n: string }
  | { f: string }
  | { s: string }
  | { b: string }
  | { t: number }
  | { l: Words[] }
  | { set: Words[] }
  | { d: [Words, Words][] };

/** JSON as Python writes it by default, in ASCII. */
const asciiJson = (words: unknown) =>
  JSON.stringify(words).replace(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

const byText = (a: unknown, b: unknown) => {
  const [left, right] = [asciiJson(a), asciiJson(b)];
  return left < right ? -1 : left > right ? 1 : 0;
};

export function describe(value: unknown): Words {
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "bigint") return { n: String(value) };
  if (typeof value === "string") return { s: value };
  if (typeof value === "number") {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) return { n: String(value) };
    if (Number.isNaN(value)) return { f: "nan" };
    const bits = Buffer.alloc(8);
    bits.writeDoubleBE(value);
    return { f: bits.toString("hex") };
  }
  if (value instanceof Uint8Array) return { b: Buffer.from(value).toString("hex") };
  if (value instanceof Date) return { t: value.getTime() };
  if (Array.isArray(value)) return { l: value.map(describe) };
  if (value instanceof Set) return { set: [...value].map(describe).sort(byText) };
  const entries = value instanceof Map ? [...value] : Object.entries(value as object);
  return {
    d: entries.map(([k, v]): [Words, Words] => [describe(k), describe(v)]).sort(byText),
  };
}

/** The same in Python, with the modules that scripts want. */
export const DESCRIBE = `
import json, pickle, sys, struct, math, random, datetime, decimal, uuid, collections, enum, zlib
try:
    import zoneinfo
except ImportError:
    zoneinfo = None

SAFE = 2 ** 53 - 1
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)

def text(x):
    return json.dumps(x, separators=(",", ":"))

def ms(delta):
    return delta // datetime.timedelta(milliseconds=1)

def describe(v):
    if v is None or isinstance(v, bool):
        return v
    if isinstance(v, int):
        return {"n": str(v)}
    if isinstance(v, float):
        if math.isnan(v):
            return {"f": "nan"}
        if v.is_integer() and abs(v) <= SAFE and not (v == 0 and math.copysign(1, v) < 0):
            return {"n": str(int(v))}
        return {"f": struct.pack(">d", v).hex()}
    if isinstance(v, (decimal.Decimal, uuid.UUID, datetime.time)):
        return {"s": str(v)}
    if isinstance(v, str):
        return {"s": v}
    if isinstance(v, (bytes, bytearray)):
        return {"b": v.hex()}
    if isinstance(v, datetime.datetime):
        return {"t": ms((v if v.tzinfo else v.replace(tzinfo=datetime.timezone.utc)) - EPOCH)}
    if isinstance(v, datetime.date):
        return {"t": (v - EPOCH.date()).days * 86400000}
    if isinstance(v, datetime.timedelta):
        return describe(v / datetime.timedelta(milliseconds=1))
    if isinstance(v, (list, tuple, collections.deque)):
        return {"l": [describe(x) for x in v]}
    if isinstance(v, (set, frozenset)):
        return {"set": sorted((describe(x) for x in v), key=text)}
    if isinstance(v, dict):
        return {"d": sorted(([describe(k), describe(x)] for k, x in v.items()), key=text)}
    raise TypeError(type(v))
`;

const PRELUDE = `${DESCRIBE}
def reply(x):
    global output
    output = x

request = input
`;

/** Runs a script in the Python that has pylibmc; `request` is its JSON, and what it passes to `reply` the answer. */
export function runPython<Answer = unknown>(
  script: string,
  request: unknown = null,
): Promise<Answer> {
  return run<Answer>(`${PRELUDE}\n${script}`, request);
}

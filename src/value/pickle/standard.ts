import { CodecError } from "../../errors.js";
import { isDecimal } from "../decimal.js";
import { dictionaryOf, isPlainObject } from "../plain.js";
import { broken } from "./broken.js";
import { ClassReference, type PickleClass } from "./classes.js";
import { readDate, readDatetime, readTime, readTimedelta } from "./temporal.js";

/** A type that a pickle may name, for instance as a defaultdict's factory, but not call. */
const NAMED_ONLY: PickleClass = {
  create() {
    throw broken("it calls a type that pickles only name");
  },
};

/** A dictionary from the items that an older Python gives as arguments. */
function dictionary(items: unknown): unknown {
  if (items === undefined) return {};
  if (isPlainObject(items) || items instanceof Map) return items;
  if (!Array.isArray(items)) throw broken("a dictionary is malformed");
  const entries = items.map((item): [unknown, unknown] => {
    if (Array.isArray(item) && item.length === 2) return [item[0], item[1]];
    throw broken("an item of a dictionary is not a pair");
  });
  return dictionaryOf(entries);
}

function set(items: unknown = []): Set<unknown> {
  if (!Array.isArray(items)) throw broken("a set is malformed");
  return new Set(items);
}

function array(items: unknown = []): unknown[] {
  if (!Array.isArray(items)) throw broken("a deque is malformed");
  return [...items];
}

/** Protocols up to 2 have no bytes, and say them as text of the characters 0 to 255. */
function encodeLatin1(text: unknown): Buffer {
  if (typeof text !== "string" || /[^\0-\xff]/.test(text)) throw broken("bytes are malformed");
  return Buffer.from(text, "latin1");
}

function byteArray(data: unknown): Buffer {
  if (data === undefined) return Buffer.alloc(0);
  return Buffer.isBuffer(data) ? Buffer.from(data) : encodeLatin1(data);
}

function noBytes(...args: unknown[]): Buffer {
  if (args.length > 0) throw broken("bytes are malformed");
  return Buffer.alloc(0);
}

function decimal(text: unknown): string {
  const isOne =
    typeof text === "string" && (isDecimal(text) || /^[+-]?(Inf(inity)?|s?NaN\d*)$/i.test(text));
  if (isOne) return text;
  throw broken("a Decimal is malformed");
}

/** A UUID has its number as state, and is its usual text here. */
const UUID: PickleClass = {
  create: () => ({}),
  build(_instance, state) {
    const number = isPlainObject(state) ? state["int"] : undefined;
    if (typeof number !== "number" && typeof number !== "bigint")
      throw broken("a UUID is malformed");
    const hex = number.toString(16).padStart(32, "0");
    if (!/^[0-9a-f]{32}$/.test(hex)) throw broken("a UUID is malformed");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  },
};

/** A zone is its name; a datetime in it is read with the zone's rules. */
const ZONE_INFO: PickleClass = {
  create(name) {
    if (typeof name === "string") return name;
    throw new CodecError("A pickle has a time zone without a name");
  },
  member(name) {
    if (name !== "_unpickle") throw broken("it asks for a member that a ZoneInfo has not");
    return new ClassReference("zoneinfo.ZoneInfo", ZONE_INFO);
  },
};

function timezone(offset: unknown): number {
  if (typeof offset !== "number") throw broken("a timezone is malformed");
  return offset;
}

/** What Python's own types become: plain data, whose making copies no more than its arguments. */
export const STANDARD_CLASSES: ReadonlyMap<string, PickleClass> = new Map<string, PickleClass>([
  ["builtins.set", { create: set, fresh: true }],
  ["builtins.frozenset", { create: set, fresh: true }],
  ["builtins.bytearray", { create: byteArray }],
  ["builtins.bytes", { create: noBytes }],
  ["_codecs.encode", { create: encodeLatin1 }],
  ["collections.OrderedDict", { create: dictionary, fresh: true }],
  ["collections.defaultdict", { create: () => ({}), fresh: true }],
  ["collections.Counter", { create: dictionary, fresh: true }],
  ["collections.deque", { create: array, fresh: true }],
  ["datetime.datetime", { create: readDatetime }],
  ["datetime.date", { create: readDate }],
  ["datetime.time", { create: readTime }],
  ["datetime.timedelta", { create: readTimedelta }],
  ["datetime.timezone", { create: timezone }],
  ["zoneinfo.ZoneInfo", ZONE_INFO],
  ["pytz._UTC", { create: () => 0 }],
  ["decimal.Decimal", { create: decimal }],
  ["uuid.UUID", UUID],
  ["builtins.list", NAMED_ONLY],
  ["builtins.dict", NAMED_ONLY],
  ["builtins.tuple", NAMED_ONLY],
  ["builtins.int", NAMED_ONLY],
  ["builtins.float", NAMED_ONLY],
  ["builtins.str", NAMED_ONLY],
  ["builtins.bool", NAMED_ONLY],
  ["builtins.object", NAMED_ONLY],
  ["builtins.getattr", NAMED_ONLY],
  ["copyreg._reconstructor", NAMED_ONLY],
  ["copyreg.__newobj__", NAMED_ONLY],
]);

import { OptionError } from "../../errors.js";
import { type HashName, hashNames } from "../../hash/algorithms.js";
import type { HashFunction } from "../../hash/function.js";
import type { Key } from "../../protocol/key.js";
import { distributionNames } from "../../ring/distribution.js";
import { isUint8Array } from "../../util/bytes.js";
import { checkChoice, checkDurationMs, checkInteger } from "../../util/check.js";
import { checkNames, keysOf, ownOptions } from "../../util/names.js";
import { show } from "../../util/show.js";
import { warnOnce } from "../warning.js";
import { type Behaviors, behaviorAliases } from "./behaviors.js";

/** Behaviors that were checked, by pylibmc's names of today, without those that do nothing. */
export type CheckedBehaviors = {
  readonly [Name in keyof Behaviors]?: NonNullable<Behaviors[Name]>;
};

/** What may be given for a behavior, and what it is where nothing was. */
interface Rule<Value> {
  /** @throws OptionError */
  readonly check: (value: unknown, name: string) => NonNullable<Value>;
  readonly initial: Value;
  /** Why it is always `initial`, whatever is given. */
  readonly fixed?: string;
}

const MAX_INT32 = 2 ** 31 - 1;

/** In the order in which pylibmc applies them. */
const rules: { readonly [Name in keyof Behaviors]: Rule<Behaviors[Name]> } = {
  no_block: always(flag, true, "no call blocks"),
  tcp_nodelay: { check: flag, initial: true },
  tcp_keepalive: { check: flag, initial: true },
  hash: { check: hash, initial: "default" },
  ketama_hash: always<HashName | HashFunction>(
    (value, name) => hash(value === 0 ? "default" : value, name), // as pylibmc reads it
    "default",
    "libmemcached stores it and never uses it; see hash",
  ),
  ketama: { check: flag, initial: false },
  ketama_weighted: { check: flag, initial: false },
  distribution: {
    check: oneOf(distributionNames),
    initial: "modula",
  },
  cas: always(flag, true, "gets and cas work without it"),
  buffer_requests: { check: flag, initial: false },
  verify_keys: always(flag, true, "keys are always checked"),
  connect_timeout: { check: checkDurationMs, initial: 1000 },
  send_timeout: always(whole(0), 0, "_poll_timeout limits a whole call"),
  receive_timeout: always(whole(0), 0, "_poll_timeout limits a whole call"),
  num_replicas: { check: whole(0), initial: 0 },
  auto_eject: { check: flag, initial: false },
  retry_timeout: { check: whole(0), initial: 2 },
  remove_failed: { check: flag, initial: false },
  failure_limit: { check: whole(1), initial: 5 },
  _io_msg_watermark: always(whole(0), 500, "nothing waits for replies before it sends"),
  _io_bytes_watermark: always(whole(0), 66560, "nothing waits for replies before it sends"),
  _io_key_prefetch: always(whole(0), 0, "nothing waits for replies before it sends"),
  _hash_with_prefix_key: { check: flag, initial: false },
  _noreply: { check: flag, initial: false },
  _sort_hosts: { check: flag, initial: false },
  _poll_timeout: { check: checkDurationMs, initial: 1000 },
  _socket_send_size: always(whole(0), 0, "the system chooses it"),
  _socket_recv_size: always(whole(0), 0, "the system chooses it"),
  dead_timeout: { check: whole(0), initial: 0 },
  pickle_protocol: { check: pickleProtocol, initial: 4 },
  namespace: { check: checkPrefix, initial: "" },
};

/** pylibmc's names, in its order. */
export const behaviorNames: readonly (keyof Behaviors)[] = keysOf(rules);

/** Its names and the aliases: all that is known. */
const known: ReadonlySet<string> = new Set([
  ...behaviorNames,
  ...Object.keys(behaviorAliases),
  "cache lookups",
]);

export function isBehavior(name: string): boolean {
  return known.has(name);
}

/** A behavior's value where none was given. */
export function initialBehavior<Name extends keyof Behaviors>(name: Name): Behaviors[Name] {
  return rules[name].initial;
}

/**
 * Checks behaviors as a caller gave them. One that cannot be what was asked for is left
 * out, and says so in a warning.
 * @throws OptionError for an unknown name, with the nearest that is known, or a wrong value
 */
export function checkBehaviors(given: object): CheckedBehaviors {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new OptionError(
      `behaviors must be an object such as { ketama: true }, not ${show(given)}`,
    );
  }
  checkNames(given, known, "behaviors");
  const named = withoutAliases(given);
  const cacheLookups = named.get("cache lookups") ?? false;
  if (flag(cacheLookups, "The behavior cache lookups")) {
    warnOnce("The behavior cache lookups", "has no effect: libmemcached has dropped it");
  }
  const checked: Record<string, unknown> = {};
  for (const name of behaviorNames) {
    const { check, initial, fixed } = rules[name];
    const asked = named.get(name);
    if (asked === undefined) continue;
    const value = check(asked, `The behavior ${name}`);
    if (fixed === undefined) checked[name === "remove_failed" ? "auto_eject" : name] = value;
    else if (value !== initial) warnOnce(`The behavior ${name}`, `has no effect: ${fixed}`);
  }
  return checked as CheckedBehaviors;
}

function withoutAliases(given: object): Map<string, unknown> {
  const named = new Map<string, unknown>();
  const aliases: Readonly<Record<string, string>> = behaviorAliases;
  for (const [written, value] of Object.entries(ownOptions(given))) {
    const name = aliases[written] ?? written;
    if (named.has(name)) {
      throw new OptionError(`The behavior ${name} is given twice, under two of its names`);
    }
    named.set(name, value);
  }
  return named;
}

/** What chooses a ring, in pylibmc's order: a later one overrules those before it. */
const CHOOSING = ["ketama", "ketama_weighted", "distribution"] as const;

/**
 * Behaviors with some of them replaced. What they come to depends on what is set, not on when;
 * so whatever would overrule one of those just set is taken back.
 */
export function mergeBehaviors(old: CheckedBehaviors, set: CheckedBehaviors): CheckedBehaviors {
  const first = CHOOSING.findIndex((name) => set[name] !== undefined);
  const kept: Record<string, unknown> = { ...old };
  if (first >= 0) for (const name of CHOOSING.slice(first + 1)) delete kept[name];
  return { ...kept, ...set };
}

const PLACING = ["hash", ...CHOOSING, "_sort_hosts", "_hash_with_prefix_key", "namespace"] as const;

/** Whether a key may have another server with these behaviors set. */
export function movesKeys(set: CheckedBehaviors): boolean {
  return PLACING.some((name) => set[name] !== undefined);
}

function always<Value>(check: Rule<Value>["check"], value: Value, reason: string): Rule<Value> {
  return { check, initial: value, fixed: reason };
}

/** libmemcached takes every number but 0 for true. */
function flag(value: unknown, name: string): boolean {
  if (typeof value === "boolean") return value;
  if (Number.isInteger(value)) return value !== 0;
  throw new OptionError(`${name} must be true or false, not ${show(value)}`);
}

function whole(least: number): (value: unknown, name: string) => number {
  return (value, name) => checkInteger(value, name, least, MAX_INT32);
}

function oneOf<Name extends string>(names: readonly Name[]) {
  return (value: unknown, name: string): Name => checkChoice(value, name, names);
}

function hash(value: unknown, name: string): HashName | HashFunction {
  return typeof value === "function"
    ? (value as HashFunction)
    : checkChoice(value, name, hashNames, "a function");
}

function pickleProtocol(value: unknown, name: string): Behaviors["pickle_protocol"] {
  if (value === -1 || value === 2 || value === 3 || value === 4 || value === 5) return value;
  throw new OptionError(`${name} must be 2 to 5, or -1 for the highest, not ${show(value)}`);
}

/** What a prefix of keys may be; which characters it may have, the wire says. */
export function checkPrefix(value: unknown, name: string): Key {
  if (typeof value === "string" || isUint8Array(value)) return value;
  throw new OptionError(`${name} must be a string or a Uint8Array, not ${show(value)}`);
}

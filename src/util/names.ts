import { OptionError } from "../errors.js";
import { quote } from "./show.js";

/** Names that are known, and those that are nearly one of them. */

/** Exactly the names of an options object, as the compiler checks; the values mean nothing. */
export type NamesOf<Options> = Readonly<Record<keyof Options, unknown>>;

/** The names that a table has, as its type says. */
export function keysOf<Name extends string>(
  table: Readonly<Record<Name, unknown>>,
): readonly Name[] {
  return Object.keys(table) as Name[];
}

export function namesOf<Options>(names: NamesOf<Options>): ReadonlySet<string> {
  return new Set(Object.keys(names));
}

/**
 * A copy of options that are still needed when the program may have changed its own for another
 * call; with what they inherit, since they may be made from others by `Object.create`, but not with
 * what somebody has put into all objects.
 */
export function ownOptions<Options extends object>(options: Options): Options {
  const all = {} as Options;
  for (const name in options) if (!(name in Object.prototype)) all[name] = options[name];
  return all;
}

/** How many characters of a name a message shows. A longer one is no typing mistake. */
const MAX_NAME = 60;

/** How many options a message names at most. */
const MAX_LISTED = 12;

/** @throws OptionError for an option that is not in `known`, with the nearest that is */
export function checkNames(given: object, known: ReadonlySet<string>, where: string): void {
  for (const name of Object.keys(given)) {
    if (known.has(name)) continue;
    if (!Array.isArray(given)) throw unknownName(name, known, where);
    throw new OptionError(`${where} takes an object of options, not an array`);
  }
}

export function unknownName(name: string, known: Iterable<string>, where: string): OptionError {
  return new OptionError(`${where} has no option ${quote(name, MAX_NAME)}${hintFor(name, known)}`);
}

/** The nearest name, or all of them where none is near and a line can hold them. */
function hintFor(name: string, known: Iterable<string>): string {
  const names = [...known];
  // What most other clients call it: expires, expiry, ex, lifetime.
  const isTtl = /^(ex|life)/i.test(name) && names.includes("ttl");
  const nearest = isTtl ? "ttl" : nearestName(name, names);
  if (nearest !== undefined) return `; did you mean ${JSON.stringify(nearest)}?`;
  return names.length > 0 && names.length <= MAX_LISTED ? `; it has ${names.join(", ")}` : "";
}

/**
 * The known name that takes the fewest changes to reach, unless it takes too many; else the only
 * one that has this one in it.
 */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  if (name.length > MAX_NAME) return undefined;
  const given = name.toLowerCase();
  let nearest: string | undefined;
  let least = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(given, candidate.toLowerCase());
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  if (nearest !== undefined || given.length < 4) return nearest;
  const [only, another] = [...known].filter((candidate) => candidate.toLowerCase().includes(given));
  return another === undefined ? only : undefined;
}

/** Levenshtein's distance, one row at a time. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const substitution = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}

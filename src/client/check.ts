import { ArgumentError, OptionError } from "../errors.js";
import { show } from "../util/show.js";

/**
 * Checks at run time what types only promise: callers without types exist, and a string
 * in the place of a number would become part of a command line.
 */

const MAX_UINT64 = 2n ** 64n - 1n;

const MAX_TIMER_MS = 2 ** 31 - 1;

/** A message names so many options at most. */
const MAX_LISTED = 12;

/** @throws OptionError for an option that is not in `known`, with the nearest that is */
export function checkNames(given: object, known: ReadonlySet<string>, where: string): void {
  for (const name of Object.keys(given)) {
    if (!known.has(name)) throw unknownName(name, known, where);
  }
}

export function unknownName(name: string, known: Iterable<string>, where: string): OptionError {
  return new OptionError(`${where} has no option ${JSON.stringify(name)}${hintFor(name, known)}`);
}

/** The nearest name, or all of them where none is near and a line can hold them. */
function hintFor(name: string, known: Iterable<string>): string {
  const nearest = nearestName(name, known);
  if (nearest !== undefined) return `; did you mean ${JSON.stringify(nearest)}?`;
  const names = [...known];
  return names.length > 0 && names.length <= MAX_LISTED ? `; it has ${names.join(", ")}` : "";
}

/**
 * The options object of a call, or undefined where none was given.
 * @param or - what else may be given in its place
 */
export function checkOptions<Options extends object>(
  options: Options | undefined,
  known: ReadonlySet<string>,
  where: string,
  or?: string,
): void {
  if (options === undefined) return;
  if (typeof options !== "object" || options === null) {
    const choice = or === undefined ? "an object" : `an object or ${or}`;
    const hint =
      typeof options === "function" ? "; calls return a promise, and take no callback" : "";
    throw new OptionError(`The options of ${where} must be ${choice}, not ${show(options)}${hint}`);
  }
  checkNames(options, known, where);
}

/**
 * A number that goes into a command line or decides a time.
 * @param Fault - ArgumentError where it is an argument of its own, and no option
 */
export function checkInteger(
  value: unknown,
  name: string,
  min: number,
  max: number,
  Fault: typeof ArgumentError = OptionError,
): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) {
    return value;
  }
  throw new Fault(`${name} must be a whole number from ${min} to ${max}, not ${show(value)}`);
}

/** A number of up to 64 bits without a sign, as a bigint or as a number that is exact. */
export function checkUnsigned(value: unknown, name: string): bigint | number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  if (typeof value === "bigint" && value >= 0n && value <= MAX_UINT64) return value;
  throw new ArgumentError(
    `${name} must be a whole number from 0 to 2^64 - 1 (a bigint past 2^53), not ${show(value)}`,
  );
}

/** Text to be parsed. */
export function checkText(value: unknown, name: string): string {
  if (typeof value === "string") return value;
  throw new ArgumentError(`${name} must be a string, not ${show(value)}`);
}

/** A function that is called later. */
export function checkFunction(value: unknown, name: string): void {
  if (typeof value === "function") return;
  throw new ArgumentError(`${name} must be a function, not ${show(value)}`);
}

/** What a pool makes clones of; a client of another build of this package is one as well. */
export function checkMaster(value: unknown): void {
  const isClient = typeof value === "object" && value !== null && "clone" in value;
  if (isClient) return;
  throw new ArgumentError(`A pool is filled with clones of a Client, not of ${show(value)}`);
}

/** A token that `gets` returned. */
export function checkCas(value: unknown, name = "cas"): bigint {
  if (typeof value === "bigint" && value >= 0n && value <= MAX_UINT64) return value;
  throw new ArgumentError(`${name} must be the bigint that gets() returned, not ${show(value)}`);
}

/** @param or - what else may be given in its place */
export function checkBoolean(value: unknown, name: string, or?: string): boolean {
  if (typeof value === "boolean") return value;
  const choice = or === undefined ? "true or false" : `true, false or ${or}`;
  throw new OptionError(`${name} must be ${choice}, not ${show(value)}`);
}

/** What `stats` can be asked for: words and numbers, since it becomes a part of the command line. */
export function checkStatsArgument(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (value === "sizes_enable" || value === "sizes_disable") {
    throw new ArgumentError(
      `memcached never ends its answer to "stats ${value}"; start it with -o track_sizes instead`,
    );
  }
  if (typeof value === "string" && /^\w+(?: \w+)*$/.test(value) && value.length < 200) return value;
  throw new ArgumentError(
    `The argument of stats must be words such as "items", not ${show(value)}`,
  );
}

/** A duration in milliseconds. */
export function checkDurationMs(value: unknown, name: string): number {
  if (typeof value === "number" && value > 0 && value <= MAX_TIMER_MS) return value;
  throw new OptionError(
    `${name} must be a number of milliseconds above 0 and up to ${MAX_TIMER_MS}, not ${show(value)}`,
  );
}

/** The known name that takes the fewest changes to reach, unless it takes too many. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let least = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
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

import { ArgumentError, OptionError } from "../errors.js";
import { MAX_TIMER_MS } from "./clock.js";
import { checkNames } from "./names.js";
import { kindOf, show } from "./show.js";

/**
 * Checks at run time what types only promise: callers without types exist, and a string
 * in the place of a number would become part of a command line.
 */

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
    // In the place of options alone may stand anything, a password as well.
    const choice =
      or === undefined
        ? `an object, not ${kindOf(options)}`
        : `an object or ${or}, not ${show(options)}`;
    const hint =
      typeof options === "function" ? "; calls return a promise, and take no callback" : "";
    throw new OptionError(`The options of ${where} must be ${choice}${hint}`);
  }
  checkNames(options, known, where);
}

/**
 * A number that goes into a command line or decides a time.
 * @param Fault - ArgumentError where it is an argument of its own, and not an option
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

/** Text to be parsed. */
export function checkText(value: unknown, name: string): string {
  if (typeof value === "string") return value;
  throw new ArgumentError(`${name} must be a string, not ${show(value)}`);
}

/**
 * A function that is called later.
 * @param Fault - as above
 */
export function checkFunction(
  value: unknown,
  name: string,
  Fault: typeof ArgumentError = OptionError,
): void {
  if (typeof value === "function") return;
  throw new Fault(`${name} must be a function, not ${kindOf(value)}`);
}

/**
 * One of some words.
 * @param or - what else may be given in its place
 */
export function checkChoice<Choice extends string>(
  value: unknown,
  name: string,
  choices: readonly Choice[],
  or?: string,
): Choice {
  const chosen = choices.find((choice) => choice === value);
  if (chosen !== undefined) return chosen;
  const all = choices.map((choice) => JSON.stringify(choice));
  if (or !== undefined) all.push(or);
  const last = all.pop();
  const list = all.length === 0 ? last : `${all.join(", ")} or ${last}`;
  throw new OptionError(`${name} must be ${list}, not ${show(value)}`);
}

/** @param or - what else may be given in its place */
export function checkBoolean(value: unknown, name: string, or?: string): boolean {
  if (typeof value === "boolean") return value;
  const choice = or === undefined ? "true or false" : `true, false or ${or}`;
  throw new OptionError(`${name} must be ${choice}, not ${show(value)}`);
}

/** A duration in milliseconds. */
export function checkDurationMs(value: unknown, name: string): number {
  if (typeof value === "number" && value > 0 && value <= MAX_TIMER_MS) return value;
  throw new OptionError(
    `${name} must be a number of milliseconds above 0 and up to ${MAX_TIMER_MS}, not ${show(value)}`,
  );
}

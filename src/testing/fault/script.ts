import { OptionError } from "../../errors.js";
import { checkChoice, checkOptions } from "../../util/check.js";
import { keysOf, namesOf } from "../../util/names.js";
import { show } from "../../util/show.js";
import type { Asked, Ending, Fault, FaultAction, FaultMatch } from "./fault.js";

interface Armed {
  readonly fault: Fault;
  /** How many requests have fitted, and how many of them were struck. */
  fitted: number;
  struck: number;
}

/** The faults that a server is to show, and how often each has. */
export class FaultScript {
  #armed: Armed[] = [];
  /** Told whenever faults come or go. */
  onChange: () => void = () => {};

  /** How many faults there are. */
  get size(): number {
    return this.#armed.length;
  }

  /**
   * Adds faults; each request suffers all that fit it, in the order of adding.
   * @throws OptionError for a condition or a kind that there is not, and for what it is told that
   * cannot be; then none of them is added
   */
  add(...faults: readonly Fault[]): void {
    for (const fault of faults) check(fault);
    for (const fault of faults) this.#armed.push({ fault, fitted: 0, struck: 0 });
    this.onChange();
  }

  /** Takes all faults out. */
  clear(): void {
    this.#armed = [];
    this.onChange();
  }

  /** How often a fault has struck. */
  hits(fault: Fault): number {
    return this.#armed.find((armed) => armed.fault === fault)?.struck ?? 0;
  }

  /** The faults as they were given, for `JSON.stringify`. */
  toJSON(): readonly Fault[] {
    return this.#armed.map(({ fault }) => fault);
  }

  /** What a request suffers. */
  strike(asked: Asked): FaultAction[] {
    const actions: FaultAction[] = [];
    for (const armed of this.#armed) {
      const match = armed.fault.on ?? {};
      if (!fits(match, asked)) continue;
      armed.fitted++;
      if (!isTurn(match, armed)) continue;
      armed.struck++;
      actions.push(armed.fault.do);
    }
    return actions;
  }
}

function fits(match: FaultMatch, asked: Asked): boolean {
  const { command, key, connection, age } = match;
  if (command === undefined ? asked.command === "connect" : !includes(command, asked.command)) {
    return false;
  }
  if (key !== undefined && !asked.keys.includes(key)) return false;
  if (connection !== undefined && !includes(connection, asked.connection)) return false;
  return age === undefined || asked.age >= age;
}

function isTurn({ nth, every, times }: FaultMatch, { fitted, struck }: Armed): boolean {
  if (nth !== undefined && !includes(nth, fitted)) return false;
  if (every !== undefined && fitted % every !== 0) return false;
  return times === undefined || struck < times;
}

function includes<T>(wanted: T | readonly T[], value: T): boolean {
  return Array.isArray(wanted) ? wanted.includes(value) : wanted === value;
}

const FAULT = namesOf<Fault>({ on: true, do: true });

type Fits = (value: unknown) => boolean;

const isText: Fits = (value) => typeof value === "string";
const atLeast = (least: number): Fits => {
  return (value) => typeof value === "number" && value >= least;
};
const oneOrMore = (fits: Fits): Fits => {
  return (value) => (Array.isArray(value) ? value.every(fits) : fits(value));
};

/** What the conditions may be. */
const MATCH: Readonly<Record<keyof FaultMatch, Fits>> = {
  command: oneOrMore(isText),
  key: isText,
  connection: oneOrMore(atLeast(1)),
  age: atLeast(0),
  nth: oneOrMore(atLeast(1)),
  every: atLeast(1),
  times: atLeast(1),
};

const ENDINGS: readonly Ending[] = ["close", "reset", "hang"];
const TEXT = { bytes: isText };
const TIME = { ms: atLeast(0) };

/** What each kind is told, all of it but `execute`. */
const KINDS: Readonly<Record<FaultAction["kind"], Readonly<Record<string, Fits>>>> = {
  ...{ stall: {}, deaf: {}, close: {}, reset: {}, silence: {}, repeat: {}, swap: {} },
  ...{ unterminated: {}, deauthenticate: {}, delay: TIME, refuse: TIME, restart: TIME },
  ...{ before: TEXT, after: TEXT, key: { key: isText }, opaque: { opaque: isText } },
  length: { length: isText },
  answer: { ...TEXT, execute: (value) => value === undefined || typeof value === "boolean" },
  cut: { bytes: atLeast(0), ending: (value) => ENDINGS.some((ending) => ending === value) },
  trickle: { ...TIME, bytes: atLeast(1) },
};

/** Faults may come from a file, where no type has seen them. */
function check(fault: Fault): void {
  checkOptions(fault, FAULT, "A fault");
  const { on = {}, do: action } = fault;
  checkOptions(on, new Set(keysOf(MATCH)), "The on of a fault");
  for (const name of keysOf(MATCH)) {
    const value = on[name];
    if (value !== undefined && !MATCH[name](value)) throw impossible(name, "a fault", value);
  }
  if (typeof action !== "object" || action === null) {
    throw new OptionError(`do of a fault must be an object with a kind, not ${show(action)}`);
  }
  const { kind, ...told }: { kind: FaultAction["kind"]; [name: string]: unknown } = action;
  const wanted = KINDS[checkChoice(kind, "kind of a fault", keysOf(KINDS))];
  const which = `${/^[aou]/.test(kind) ? "an" : "a"} ${kind} fault`;
  checkOptions(told, new Set(Object.keys(wanted)), `The do of ${which}`);
  for (const [name, fits] of Object.entries(wanted)) {
    if (!fits(told[name])) throw impossible(name, which, told[name]);
  }
}

function impossible(name: string, of: string, value: unknown): OptionError {
  return new OptionError(`${name} of ${of} cannot be ${show(value)}`);
}

import { OptionError } from "../../errors.js";
import { checkChoice, checkOptions } from "../../util/check.js";
import { namesOf } from "../../util/names.js";
import { show } from "../../util/show.js";
import type { Asked, Fault, FaultAction, FaultMatch } from "./fault.js";

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
   * @throws OptionError for a condition or a kind that there is not, and for a count or time
   * that is not positive
   */
  add(...faults: readonly Fault[]): void {
    for (const fault of faults) {
      check(fault);
      this.#armed.push({ fault, fitted: 0, struck: 0 });
    }
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

const MATCH = namesOf<FaultMatch>({
  command: true,
  key: true,
  connection: true,
  age: true,
  nth: true,
  every: true,
  times: true,
});

const KINDS: Readonly<Record<FaultAction["kind"], true>> = {
  ...{ delay: true, stall: true, deaf: true, close: true, reset: true, silence: true },
  ...{ answer: true, cut: true, trickle: true, before: true, after: true, repeat: true },
  ...{ swap: true, key: true, opaque: true, length: true, unterminated: true },
  ...{ deauthenticate: true, refuse: true, restart: true },
};

/** Faults may come from a file, where no type has seen them. */
function check(fault: Fault): void {
  checkOptions(fault, FAULT, "A fault");
  const { on = {}, do: action } = fault;
  checkOptions(on, MATCH, "The on of a fault");
  if (typeof action !== "object" || action === null) {
    throw new OptionError(`do of a fault must be an object with a kind, not ${show(action)}`);
  }
  checkChoice(action.kind, "kind of a fault", Object.keys(KINDS));
  const counts = { every: on.every, times: on.times };
  for (const [name, count] of Object.entries(counts)) {
    if (count !== undefined && !(typeof count === "number" && count >= 1)) {
      throw new OptionError(`${name} of a fault must be at least 1, not ${show(count)}`);
    }
  }
  const isCut = action.kind === "cut" || action.kind === "trickle";
  if (isCut && !(action.bytes >= (action.kind === "cut" ? 0 : 1))) {
    throw new OptionError(`bytes of a ${action.kind} fault cannot be ${action.bytes}`);
  }
  if ("ms" in action && !(action.ms >= 0)) {
    throw new OptionError(`ms of a ${action.kind} fault cannot be ${action.ms}`);
  }
}

import { OptionError } from "../../errors.js";
import { nearestName, unknownName } from "../../util/names.js";
import { type Behaviors, behaviorAliases } from "../behaviors/behaviors.js";
import { behaviorNames, checkBehaviors } from "../behaviors/rules.js";
import type { Settings } from "./settings.js";

/** `inspect.custom`, which is the same for those who do without `node:util`. */
const INSPECT_CUSTOM = Symbol.for("nodejs.util.inspect.custom");

/**
 * The behaviors of a client as a live object: reading one tells what is in effect, setting
 * one changes the client. Its keys are pylibmc's names; the aliases work and are not listed.
 */
export function behaviorView(settings: Settings): Behaviors {
  const view = {};
  const define = (name: string, behavior: keyof Behaviors, enumerable: boolean) =>
    Object.defineProperty(view, name, {
      enumerable,
      get: () => settings.read(behavior),
      set: (value: unknown) => assign(settings, { [name]: value }),
    });
  for (const name of behaviorNames) define(name, name, true);
  for (const [alias, name] of Object.entries(behaviorAliases)) define(alias, name, false);
  Object.defineProperty(view, "cache lookups", {
    get: () => false,
    set: (value: unknown) => assign(settings, { "cache lookups": value }),
  });
  Object.defineProperty(view, INSPECT_CUSTOM, { value: () => ({ ...view }) });
  return new Proxy(view as Behaviors, strictly);
}

function assign(settings: Settings, behaviors: { readonly [name: string]: unknown }): void {
  settings.assign(checkBehaviors(behaviors));
}

const strictly: ProxyHandler<Behaviors> = {
  /** Reading `then` or `toJSON`, as the language does, is not a mistake; a misspelt name is. */
  get(view, name) {
    if (typeof name === "string" && !(name in view) && nearestName(name, behaviorNames)) {
      throw unknownName(name, behaviorNames, "behaviors");
    }
    return Reflect.get(view, name);
  },
  set(view, name, value) {
    if (!Object.hasOwn(view, name)) throw unknownName(String(name), behaviorNames, "behaviors");
    if (value !== undefined) return Reflect.set(view, name, value);
    throw new OptionError(`The behavior ${String(name)} must be set to a value, not undefined`);
  },
  deleteProperty(_view, name) {
    throw new OptionError(`The behavior ${String(name)} cannot be deleted, only set`);
  },
};

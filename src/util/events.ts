import { ArgumentError } from "../errors.js";
import { checkFunction } from "./check.js";
import { shorten, show } from "./show.js";

type Listener<Event> = (event: Event) => void;

/**
 * Listeners by type of event. What a listener throws surfaces as an uncaught exception, as
 * with an EventTarget: it never gets in the way of the code that emits the event.
 */
export class Events<Types> {
  readonly #listeners = new Map<PropertyKey, Set<Listener<never>>>();

  constructor(types: Readonly<Record<keyof Types, true>>) {
    for (const type of Object.keys(types)) this.#listeners.set(type, new Set());
  }

  /** @throws ArgumentError for a type that there is not, and for anything but a function */
  on<Type extends keyof Types>(type: Type, listener: Listener<Types[Type]>): void {
    const listeners = this.#of(type);
    checkFunction(listener, `The listener of ${String(type)}`, ArgumentError);
    listeners.add(listener);
  }

  /** @throws ArgumentError for a type that there is not */
  off<Type extends keyof Types>(type: Type, listener: Listener<Types[Type]>): void {
    this.#of(type).delete(listener);
  }

  emit<Type extends keyof Types>(type: Type, event: Types[Type]): void {
    // A copy: a listener that takes itself off and on again is not told of the same event twice.
    for (const listener of [...this.#of(type)]) {
      try {
        (listener as Listener<Types[Type]>)(event);
      } catch (error) {
        process.nextTick(() => {
          throw error;
        });
      }
    }
  }

  #of(type: keyof Types): Set<Listener<never>> {
    const listeners = this.#listeners.get(type);
    if (listeners !== undefined) return listeners;
    const types = [...this.#listeners.keys()].join(", ");
    const name = typeof type === "string" ? shorten(type, 40) : show(type);
    throw new ArgumentError(`There is no event ${name}; there are ${types}`);
  }
}

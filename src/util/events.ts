type Listener<Event> = (event: Event) => void;

/**
 * Listeners by type of event. What a listener throws surfaces as an uncaught exception, as
 * with an EventTarget: it never gets into the way of whoever tells the event.
 */
export class Events<Types> {
  readonly #listeners = new Map<PropertyKey, Set<Listener<never>>>();

  on<Type extends keyof Types>(type: Type, listener: Listener<Types[Type]>): void {
    const listeners = this.#listeners.get(type);
    if (listeners === undefined) this.#listeners.set(type, new Set([listener]));
    else listeners.add(listener);
  }

  off<Type extends keyof Types>(type: Type, listener: Listener<Types[Type]>): void {
    this.#listeners.get(type)?.delete(listener);
  }

  emit<Type extends keyof Types>(type: Type, event: Types[Type]): void {
    // A copy: a listener that takes itself off and on again is not told of the same event twice.
    for (const listener of [...(this.#listeners.get(type) ?? [])]) {
      try {
        (listener as Listener<Types[Type]>)(event);
      } catch (error) {
        process.nextTick(() => {
          throw error;
        });
      }
    }
  }
}

/** When the simulated time begins, as a date: so that runs of one seed are alike. */
const EPOCH_MS = Date.UTC(2026, 0, 1);

interface Event {
  readonly at: number;
  /** Events of one moment happen in the order in which they were planned. */
  readonly order: number;
  readonly act: () => void;
  isCancelled: boolean;
}

/**
 * Time that passes from one event to the next. While it is installed, every timer of this
 * process and every look at a clock is on it, and so the library's own.
 */
export class VirtualClock implements Disposable {
  /** Milliseconds since the simulation began. */
  now = 0;
  readonly #events: Event[] = [];
  readonly #restore: (() => void)[] = [];
  #planned = 0;

  /** @param random - what `Math.random` answers meanwhile */
  install(random: () => number): void {
    const later = (act: Act, ms = 0, ...args: unknown[]) => this.after(ms, () => act(...args));
    const cancel = (timer: Timer | undefined) => timer?.cancel();
    this.#replace(globalThis, "setTimeout", later);
    this.#replace(globalThis, "setInterval", (act: Act, ms = 0) => this.#repeat(act, ms));
    this.#replace(globalThis, "setImmediate", (act: Act, ...args: unknown[]) =>
      later(act, 0, ...args),
    );
    this.#replace(globalThis, "clearTimeout", cancel);
    this.#replace(globalThis, "clearInterval", cancel);
    this.#replace(globalThis, "clearImmediate", cancel);
    this.#replace(performance, "now", () => this.now);
    this.#replace(Date, "now", () => EPOCH_MS + this.now);
    this.#replace(Math, "random", random);
  }

  [Symbol.dispose](): void {
    for (const restore of this.#restore.splice(0)) restore();
  }

  after(ms: number, act: () => void): Timer {
    const event = this.#plan(this.now + Math.max(0, ms), act);
    return new Timer(() => {
      event.isCancelled = true;
    });
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve);
    });
  }

  /**
   * Lets so much time pass. All that an event sets off, promises too, comes before the next
   * event, and the real event loop has a turn before the next moment: the library waits for
   * the end of a turn on the real one, whatever its clock says.
   */
  pass(ms: number): Promise<void> {
    const until = this.now + ms;
    return new Promise((resolve, reject) => {
      const step = () => {
        const event = this.#next(until);
        if (event === undefined) {
          this.now = until;
          resolve();
          return;
        }
        this.now = event.at;
        try {
          if (!event.isCancelled) event.act();
        } catch (error) {
          reject(error);
          return;
        }
        queueMicrotask(afterMicrotasks);
      };
      // Ticks come when no microtask is left, however many those that ran have queued.
      const afterMicrotasks = () => process.nextTick(afterAll);
      const afterAll = () => {
        if (this.#events[0]?.at === this.now) step();
        else realSetImmediate(step);
      };
      queueMicrotask(afterMicrotasks);
    });
  }

  #repeat(act: () => void, ms: number): Timer {
    let event: Event;
    const again = () => {
      event = this.#plan(this.now + Math.max(1, ms), again);
      act();
    };
    event = this.#plan(this.now + Math.max(1, ms), again);
    return new Timer(() => {
      event.isCancelled = true;
    });
  }

  #plan(at: number, act: () => void): Event {
    const event = { at, order: this.#planned++, act, isCancelled: false };
    const heap = this.#events;
    let slot = heap.length;
    for (; slot > 0; slot = (slot - 1) >> 1) {
      const parent = heap[(slot - 1) >> 1]!;
      if (isBefore(parent, event)) break;
      heap[slot] = parent;
    }
    heap[slot] = event;
    return event;
  }

  /** Takes the first event out of the heap, unless it is later. */
  #next(until: number): Event | undefined {
    const heap = this.#events;
    const [first] = heap;
    if (first === undefined || first.at > until) return undefined;
    const last = heap.pop()!;
    if (last === first) return first;
    let slot = 0;
    for (;;) {
      let child = 2 * slot + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (isBefore(last, heap[child]!)) break;
      heap[slot] = heap[child]!;
      slot = child;
    }
    heap[slot] = last;
    return first;
  }

  #replace(holder: object, name: string, by: unknown): void {
    const own = Object.getOwnPropertyDescriptor(holder, name);
    Object.defineProperty(holder, name, { value: by, configurable: true, writable: true });
    this.#restore.push(() => {
      if (own === undefined) Reflect.deleteProperty(holder, name);
      else Object.defineProperty(holder, name, own);
    });
  }
}

type Act = (...args: unknown[]) => void;

const realSetImmediate = setImmediate;

/** What stands for one of Node's timers. */
class Timer {
  readonly cancel: () => void;

  constructor(cancel: () => void) {
    this.cancel = cancel;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

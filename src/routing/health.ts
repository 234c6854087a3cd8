import { backoffMs } from "../connection/backoff.js";
import { Failure } from "../connection/failure.js";
import { ConnectError, type MemcachedError } from "../errors.js";
import { MAX_TIMER_MS } from "../util/clock.js";
import { timers } from "../util/timers.js";

/**
 * `"up"`: nothing is known against it, also before it was first asked; `"failing"`: it failed,
 * and is still asked; `"dead"`: `failure_limit` failures in a row, it is only probed;
 * `"returning"`: it answers again, and gets its keys back one after the other.
 */
export type HealthState = "up" | "failing" | "dead" | "returning";

/** A server changed its state. */
export interface HealthEvent {
  /** Its name. */
  readonly server: string;
  /** What it is now. */
  readonly state: HealthState;
  /** What it was before. */
  readonly previous: HealthState;
  /** What it failed with last; undefined if it is up or returning. */
  readonly error: MemcachedError | undefined;
}

/** How failures are judged; the values may change, and then hold from the next failure on. */
export interface HealthOptions {
  /** Failures in a row that make a server dead. */
  readonly failureLimit: number;
  /** The most milliseconds between two probes. */
  readonly retryTimeoutMs: number;
  /** The fewest milliseconds that a dead server stays dead. */
  readonly deadTimeoutMs: number;
  /** Milliseconds from a dead server's first reply until it has all of its keys again. */
  readonly rampUpMs: number;
}

export interface HealthActions {
  /** Asks the server for a sign of life, and calls `done` whether it gave one or not. */
  probe(done: () => void): void;
  /**
   * Readies a dead server that answered for its keys, if there is anything to do; it stays
   * dead if that fails.
   */
  prepare(): Promise<void> | undefined;
  changed(event: HealthEvent): void;
}

/** What a returning server begins with. */
const FIRST_SHARE = 0.1;

/**
 * What is known of one server from what became of its operations.
 *
 * ```
 *            failure             failureLimit of them
 *     up ─────────────▶ failing ─────────────────────▶ dead ◀──┐
 *     ▲ ▲                  │                             │     │
 *     │ └──────────────────┘       reply to a probe, and │     │ failure
 *     │        reply                 deadTimeoutMs over  ▼     │
 *     └────────────────────────────────────────────── returning
 *                       rampUpMs over
 * ```
 *
 * A failure is an attempt to connect that came to nothing, deadlines that passed at one
 * look, or a connection that broke and lost operations with it. Any reply, a late one too,
 * takes all failures back: that is what tells a slow server from a dead one.
 *
 * From the first failure on, probes are sent in the background, ever further apart, until
 * one is answered. Meanwhile a dead server is sent nothing else, and neither is one that
 * no connection can be made to: so no operation of the program's own has to find out.
 *
 * A server that was dead may be empty, and weak: while it is returning it has only a share
 * of its keys, which grows until it has them all.
 */
export class Health {
  state: HealthState = "up";
  /** Whether the server is sent operations. */
  accepts = true;
  readonly #server: string;
  readonly #options: HealthOptions;
  readonly #actions: HealthActions;
  #failures = 0;
  #failure: Failure | undefined = undefined;
  /** When a dead server may be up again. */
  #deadUntil = 0;
  #timer: NodeJS.Timeout | undefined = undefined;
  /** When the timer fires. */
  #probeAt = 0;
  #probes = 0;
  #probing = false;
  #preparing = false;
  #returnedAt = 0;
  #stopped = false;

  constructor(server: string, options: HealthOptions, actions: HealthActions) {
    this.#server = server;
    this.#options = options;
    this.#actions = actions;
  }

  /** The server replied. */
  succeeded(): void {
    if (this.state === "failing") this.#recover("up");
    else if (this.state === "dead" && performance.now() >= this.#deadUntil) this.#prepare();
  }

  /**
   * The server failed.
   * @param retryInMs - after a failed attempt to connect, when the next one may be made
   */
  failed(failure: Failure, retryInMs?: number): void {
    const { failureLimit, deadTimeoutMs } = this.#options;
    this.#failures++;
    this.#failure = failure;
    if (retryInMs !== undefined) this.accepts = false;
    if (this.state === "dead") {
      this.#probeIn(retryInMs);
    } else if (this.state !== "returning" && this.#failures < failureLimit) {
      this.#probeIn(retryInMs);
      this.#become("failing");
    } else {
      this.accepts = false;
      this.#deadUntil = performance.now() + deadTimeoutMs;
      this.#probeIn(Math.max(deadTimeoutMs, retryInMs ?? this.#pauseMs()));
      this.#become("dead");
    }
  }

  /** Whether some of its keys are elsewhere, or all. */
  get isAway(): boolean {
    return this.state === "dead" || this.state === "returning";
  }

  /** Which part of its keys it has: 0 to 1, growing while it is returning. */
  get share(): number {
    if (this.state !== "returning") return this.state === "dead" ? 0 : 1;
    const passed = (performance.now() - this.#returnedAt) / this.#options.rampUpMs;
    return Math.min(1, FIRST_SHARE + (1 - FIRST_SHARE) * passed);
  }

  /** Something went wrong that tells nothing yet of the server: it is asked. */
  doubted(): void {
    this.#probeIn(undefined);
  }

  /** Why an operation is not sent while the server is not to be asked. */
  get refusal(): Failure {
    const { message, error } = this.#failure!;
    const due = this.#timer === undefined ? 0 : Math.ceil(this.#probeAt - performance.now());
    const next = `the next attempt is due in ${Math.max(0, due)} ms`;
    if (this.state === "failing") return this.#failure!.saying(`${message}; ${next}`);
    const failures =
      this.#failures === 1 ? "a failure" : `${this.#failures} failures in a row, the last`;
    const why = `${this.#server} is dead after ${failures}: ${message}; ${next}`;
    return new Failure(ConnectError, why, this.#server, error.cause ?? error);
  }

  /** Probes no more. */
  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #prepare(): void {
    if (this.#preparing) return;
    const preparation = this.#actions.prepare();
    if (preparation === undefined) {
      this.#return();
      return;
    }
    this.#preparing = true;
    this.#cancel();
    preparation.then(
      () => {
        this.#preparing = false;
        this.#return();
      },
      (error) => {
        this.#preparing = false;
        this.#failure = Failure.of(error, this.#server);
        this.#probeIn(this.#pauseMs());
        this.#deadUntil = this.#probeAt;
      },
    );
  }

  #return(): void {
    const { rampUpMs } = this.#options;
    if (rampUpMs === 0) {
      this.#recover("up");
      return;
    }
    this.#returnedAt = performance.now();
    this.#recover("returning");
    if (this.#stopped) return;
    this.#timer = timers.setTimeout(() => this.#recover("up"), rampUpMs).unref();
  }

  #recover(state: "up" | "returning"): void {
    this.#failures = 0;
    this.#failure = undefined;
    this.#probes = 0;
    this.#cancel();
    this.accepts = true;
    this.#become(state);
  }

  #become(state: HealthState): void {
    const previous = this.state;
    if (state === previous) return;
    this.state = state;
    this.#actions.changed({ server: this.#server, state, previous, error: this.#failure?.error });
  }

  /** Plans the next probe; without a time, unless one is planned or under way. */
  #probeIn(delayMs: number | undefined): void {
    if (this.#stopped || this.#preparing) return;
    if (delayMs === undefined && (this.#probing || this.#timer !== undefined)) return;
    this.#cancel();
    // A timer may fire within the millisecond before its time, and that is too early to connect.
    const waitMs = Math.ceil(delayMs ?? this.#pauseMs()) + 1;
    this.#probeAt = performance.now() + waitMs;
    this.#timer = timers.setTimeout(this.#probe, Math.min(waitMs, MAX_TIMER_MS)).unref();
  }

  #pauseMs(): number {
    return backoffMs(this.#probes + 1, this.#options.retryTimeoutMs);
  }

  #cancel(): void {
    timers.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #probe = (): void => {
    this.#timer = undefined;
    if (this.#probing) return;
    this.#probing = true;
    this.#probes++;
    this.#actions.probe(() => {
      this.#probing = false;
      if (this.state === "failing" || this.state === "dead") this.#probeIn(undefined);
      else this.#probes = 0;
    });
  };
}

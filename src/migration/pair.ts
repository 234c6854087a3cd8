import { distinct, homesOf } from "../client/calls/keys.js";
import type { CallOptions } from "../client/calls/options.js";
import { Client } from "../client/client.js";
import { type Cluster, settingsOf } from "../client/cluster.js";
import { ArgumentError, ConnectionClosedError, OptionError } from "../errors.js";
import type { Key } from "../protocol/key.js";
import { checkOptions } from "../util/check.js";
import { Events } from "../util/events.js";
import { within } from "../util/ready.js";
import { Call } from "./call.js";
import { Claims } from "./claims.js";
import type { MigrationEvents } from "./events.js";
import {
  isStrict,
  type MigrationOptions,
  type MigrationSettings,
  type MigrationStrictness,
  migrationSettings,
} from "./options.js";
import { type MigrationProgress, Tally } from "./progress.js";
import { Secondary } from "./secondary.js";

/** The two clusters of a migration, each also in the part of the other one, and its settings. */
export class Pair<Value> {
  readonly from: Client<Value>;
  readonly to: Client<Value>;
  readonly settings: MigrationSettings;
  readonly events: Events<MigrationEvents> = new Events<MigrationEvents>({
    progress: true,
    failure: true,
  });
  readonly tally: Tally = new Tally();
  readonly claims: Claims;
  /** The old cluster, where calls depend on the new one. */
  readonly old: Secondary<Value>;
  /** The new cluster, where calls depend on the old one. */
  readonly new: Secondary<Value>;
  closing = false;
  readonly #background = new Set<Promise<unknown>>();

  /** @throws OptionError, ArgumentError */
  constructor(from: Client<Value>, to: Client<Value>, options: MigrationOptions) {
    if (!(from instanceof Client && to instanceof Client)) {
      throw new ArgumentError(
        "A Migration needs two clients of its own copy of tslibmc, as { from, to }",
      );
    }
    this.settings = migrationSettings(options);
    checkApart(from, to);
    this.from = from;
    this.to = to;
    this.claims = new Claims(to);
    this.old = this.#secondary(from, "old");
    this.new = this.#secondary(to, "new");
  }

  /** The cluster that has the last word. */
  get primary(): Client<Value> {
    return this.settings.reads === "old" ? this.from : this.to;
  }

  /** The cluster that is told of changes only. */
  get other(): Secondary<Value> {
    return this.settings.reads === "old" ? this.new : this.old;
  }

  isStrict(about: Exclude<MigrationStrictness, "none">): boolean {
    return isStrict(this.settings.strict, about);
  }

  /**
   * Carries out a call, for which {@link Pair.finish} waits.
   * @throws OptionError for an option that is not in `known`
   */
  async run<Result>(
    name: string,
    options: CallOptions | undefined,
    known: ReadonlySet<string>,
    work: (call: Call) => Promise<Result>,
  ): Promise<Result> {
    if (this.closing) {
      throw new ConnectionClosedError(`${name}: this migration was closed`, { command: name });
    }
    checkOptions(options, known, name);
    const { timeoutMs } = settingsOf(this.primary).dispatcher;
    const working = work(new Call(name, options, timeoutMs));
    this.background(working);
    return working;
  }

  /** Has something go on that no call waits for, and that reports its own failures. */
  background(work: Promise<unknown>): void {
    const kept = work.catch(() => {}).finally(() => this.#background.delete(kept));
    this.#background.add(kept);
  }

  /**
   * The keys of a call on many, each once.
   * @throws ArgumentError for anything but a list of keys, KeyError
   */
  distinct<K extends Key>(keys: Iterable<K>, place: CallOptions | undefined): K[] {
    const { dispatcher } = settingsOf(this.primary);
    return [...distinct(dispatcher, keys, place).values()];
  }

  /** Tells where a call's keys are meant to be, for errors that name no server. */
  home(place: CallOptions | undefined): (key: Key) => string {
    return homesOf(settingsOf(this.primary).dispatcher, place);
  }

  progress(): MigrationProgress {
    return this.tally.progress({
      reads: this.settings.reads,
      owed: this.old.owed + this.new.owed,
      trusted: this.old.trusted && this.new.trusted,
    });
  }

  /** Takes no further calls, and waits for those that are under way. */
  async finish(drainMs: number): Promise<void> {
    this.closing = true;
    this.old.stop();
    this.new.stop();
    await within(drainMs, this.#finished());
  }

  async #finished(): Promise<void> {
    while (this.#background.size > 0) await Promise.all(this.#background);
  }

  #secondary(client: Client<Value>, cluster: "old" | "new"): Secondary<Value> {
    return new Secondary(client, this.settings.otherTimeoutMs, (command, error) => {
      this.tally.failures++;
      this.events.emit("failure", { cluster, command, error });
    });
  }
}

/** Two clients that would find the same items would delete what they have just stored. */
function checkApart(from: Cluster, to: Cluster): void {
  if (settingsOf(from).dispatcher.prefix !== settingsOf(to).dispatcher.prefix) return;
  const names = new Set(from.servers.map(({ name }) => name));
  const shared = to.servers.find(({ name }) => names.has(name));
  if (shared === undefined) return;
  throw new OptionError(
    `from and to share the server ${shared.name}, and would take each other's items for their own; give \`to\` a keyPrefix that \`from\` does not have`,
  );
}

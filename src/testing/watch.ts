import type { Item } from "./item.js";
import type { LookupStatus, StoreMode } from "./store.js";

/** What a watcher can ask for (protocol.txt, "Watchers"). */
export type Topic = "fetchers" | "mutations" | "evictions" | "connevents" | "deletions";

/** Topics that a server knows by name and never has anything to say of. */
const SILENT = ["rawcmds", "sysevents", "proxyreqs", "proxyevents", "proxyuser"];

export const TOPICS: readonly string[] = [
  "fetchers",
  "mutations",
  "evictions",
  "connevents",
  "deletions",
  ...SILENT,
];

/** Where a watcher's lines go. */
export interface Listener {
  /** Sends bytes. */
  readonly deliver: (bytes: string) => void;
  /** How many bytes have not gone out yet. */
  readonly backlog: () => number;
}

interface Watcher {
  readonly topics: ReadonlySet<string>;
  readonly listener: Listener;
  /** Lines that were left out since the last one that was sent. */
  skipped: number;
}

/** A watcher that is this many bytes behind gets no more lines until it has caught up. */
const MAX_BACKLOG = 256 * 1024;

/** The clients that watch, and the log lines that they get. */
export class Watch {
  readonly #watchers = new Set<Watcher>();
  /** The client whose request is being carried out. */
  client = 0;
  sent = 0;
  skipped = 0;
  #lines = 0;

  get size(): number {
    return this.#watchers.size;
  }

  /** Delivers the lines of some topics until the returned function is called. */
  add(topics: readonly string[], listener: Listener): () => void {
    const watcher = { topics: new Set(topics), listener, skipped: 0 };
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  wants(topic: Topic): boolean {
    for (const watcher of this.#watchers) if (watcher.topics.has(topic)) return true;
    return false;
  }

  lookedUp(key: string, status: LookupStatus, item: Item | undefined): void {
    this.#log(
      "fetchers",
      `type=item_get key=${percentEncode(key)} status=${status} clsid=${item?.slabClass ?? 0} cfd=${this.client} size=${item?.data.length ?? 0}`,
    );
  }

  stored(
    key: string,
    status: string,
    mode: StoreMode,
    ttl: number,
    slabClass: number,
    size: number,
  ): void {
    this.#log(
      "mutations",
      `type=item_store key=${percentEncode(key)} status=${status} cmd=${mode} ttl=${ttl} clsid=${slabClass} cfd=${this.client} size=${size}`,
    );
  }

  evicted(item: Item, now: number): void {
    const ttl = item.exptime === 0 ? -1 : item.exptime - now;
    this.#log(
      "evictions",
      `type=eviction key=${percentEncode(item.key)} fetch=${item.fetched ? "yes" : "no"} ttl=${ttl} la=${now - item.time} clsid=${item.slabClass} size=${item.data.length}`,
    );
  }

  deleted(item: Item, command: "delete" | "md"): void {
    this.#log(
      "deletions",
      `type=deleted key=${percentEncode(item.key)} cmd=${command} clsid=${item.slabClass} size=${item.data.length}`,
    );
  }

  connected(client: number, host: string, port: number, transport: string): void {
    this.#log(
      "connevents",
      `type=conn_new rip=${host} rport=${port} transport=${transport} cfd=${client}`,
    );
  }

  closed(client: number, host: string, port: number, transport: string, reason: string): void {
    this.#log(
      "connevents",
      `type=conn_close rip=${host} rport=${port} transport=${transport} reason=${reason} cfd=${client}`,
    );
  }

  #log(topic: Topic, text: string): void {
    if (this.#watchers.size === 0) return;
    const time = Date.now();
    const line = `ts=${Math.floor(time / 1000)}.${(time % 1000) * 1000} gid=${++this.#lines} ${text}\n`;
    for (const watcher of this.#watchers) if (watcher.topics.has(topic)) this.#send(watcher, line);
  }

  #send(watcher: Watcher, line: string): void {
    const { listener, skipped } = watcher;
    if (listener.backlog() > MAX_BACKLOG) {
      watcher.skipped++;
      this.skipped++;
      return;
    }
    if (skipped > 0) listener.deliver(`skipped=${skipped}\n`);
    watcher.skipped = 0;
    this.sent++;
    listener.deliver(line);
  }
}

/** A byte string percent-encoded as memcached does: all but letters, digits and `-._~`. */
export function percentEncode(bytes: string): string {
  return bytes.replace(
    /[^A-Za-z0-9\-._~]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

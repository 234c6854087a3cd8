import type { VirtualClock } from "./clock.js";

/** One request, as far as the simulated programs use the protocol. */
export type Command =
  | { readonly verb: "get"; readonly keys: readonly string[] }
  | { readonly verb: "set"; readonly key: string; readonly item: Item }
  | { readonly verb: "delete"; readonly key: string }
  | { readonly verb: "version" };

interface Item {
  readonly flags: string;
  /** Seconds. */
  readonly ttl: number;
  readonly data: string;
}

/** The requests that a client has written at once. */
export function parse(text: string): Command[] {
  const lines = text.split("\r\n");
  const commands: Command[] = [];
  for (let n = 0; n < lines.length - 1; n++) {
    const [verb, key = "", flags = "", ttl] = lines[n]!.split(" ");
    if (verb === "get") commands.push({ verb, keys: lines[n]!.split(" ").slice(1) });
    else if (verb === "set") {
      commands.push({ verb, key, item: { flags, ttl: Number(ttl), data: lines[++n]! } });
    } else if (verb === "delete") commands.push({ verb, key });
    else if (verb === "version") commands.push({ verb });
    else throw new Error(`The simulated server does not know ${JSON.stringify(lines[n])}`);
  }
  return commands;
}

/** What a memcached keeps and answers. What befalls it is the network's. */
export class ModelServer {
  readonly #clock: VirtualClock;
  readonly #items = new Map<string, Item & { readonly until: number }>();

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  store(key: string, item: Item): void {
    this.#items.set(key, { ...item, until: this.#clock.now + item.ttl * 1000 });
  }

  clear(): void {
    this.#items.clear();
  }

  answer(command: Command): string {
    switch (command.verb) {
      case "get":
        return `${command.keys.map((key) => this.#line(key)).join("")}END\r\n`;
      case "set":
        this.store(command.key, command.item);
        return "STORED\r\n";
      case "delete":
        return this.#items.delete(command.key) ? "DELETED\r\n" : "NOT_FOUND\r\n";
      case "version":
        return "VERSION 1.6.18\r\n";
    }
  }

  #line(key: string): string {
    const item = this.#items.get(key);
    if (item === undefined || item.until <= this.#clock.now) return "";
    return `VALUE ${key} ${item.flags} ${item.data.length}\r\n${item.data}\r\n`;
  }
}

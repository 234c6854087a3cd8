import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, type ClientEvents, type DiscoverOptions, type Servers } from "tslibmc";
import { dnsAddresses, dnsService, elasticache, serverFile } from "tslibmc/discovery";
import { MemcachedServer } from "tslibmc/testing";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type Memcached, startMemcached, startMemcacheds } from "../support/memcached.js";
import { NameServer } from "../support/nameserver.js";
import { until } from "../support/until.js";

const KEYS = Array.from({ length: 2000 }, (_, i) => `member:${i}`);
const OPTIONS = { behaviors: { ketama: true }, timeoutMs: 5000 } as const;

/** Reads and writes without a pause, and what came of it; each value is its own key. */
class Load {
  calls = 0;
  wrong = 0;
  readonly errors: unknown[] = [];
  readonly #client: Client;
  #goesOn = true;
  readonly #workers: Promise<void>[];

  constructor(client: Client) {
    this.#client = client;
    this.#workers = Array.from({ length: 8 }, (_, n) => this.#work(n * 131));
  }

  /** Resolves when so many more calls were made. */
  async runs(calls = 400): Promise<void> {
    const wanted = this.calls + calls;
    await until(() => this.calls >= wanted);
  }

  async stop(): Promise<void> {
    this.#goesOn = false;
    await Promise.all(this.#workers);
  }

  async #work(first: number): Promise<void> {
    for (let i = first; this.#goesOn; i++) {
      const key = KEYS[i % KEYS.length]!;
      try {
        await this.#client.set(key, key);
        const value = await this.#client.get(key);
        if (value !== undefined && value !== key) this.wrong++;
      } catch (error) {
        this.errors.push(error);
      }
      this.calls += 2;
    }
  }
}

/** A client under load that follows a source, and what it told of it. */
class Followed {
  readonly client: Client;
  readonly load: Load;
  readonly changes: ClientEvents["membership"][] = [];
  readonly failures: ClientEvents["membershipError"][] = [];

  private constructor(client: Client) {
    this.client = client;
    client.on("membership", (event) => this.changes.push(event));
    client.on("membershipError", (event) => this.failures.push(event));
    this.load = new Load(client);
  }

  static async discover(
    source: AsyncIterable<Servers>,
    options: DiscoverOptions = OPTIONS,
  ): Promise<Followed> {
    const followed = new Followed(await Client.discover(source, options));
    onTestFinished(() => followed.end());
    await followed.load.runs();
    return followed;
  }

  get names(): string[] {
    return this.client.servers.map(({ name }) => name);
  }

  /** Changes the servers, and tells which keys moved, from where and to where. */
  async change(act: () => unknown): Promise<{ share: number; from: Set<string>; to: Set<string> }> {
    const home = () => KEYS.map((key) => this.client.serverFor(key).name);
    const [before, changes] = [home(), this.changes.length];
    await act();
    await until(() => this.changes.length > changes);
    const after = home();
    await this.load.runs();
    const moved = KEYS.map((_, i) => i).filter((i) => before[i] !== after[i]);
    return {
      share: moved.length / KEYS.length,
      from: new Set(moved.map((i) => before[i]!)),
      to: new Set(moved.map((i) => after[i]!)),
    };
  }

  /** Ends the load, which nothing may have disturbed. */
  async expectCalm(): Promise<void> {
    await this.load.stop();
    expect(this.load.errors).toEqual([]);
    expect(this.load.wrong).toBe(0);
  }

  async end(): Promise<void> {
    await this.load.stop();
    await this.client.close({ drainMs: 0 });
  }
}

let servers: Memcached[];
let addresses: string[];
beforeAll(async () => {
  servers = await startMemcacheds(4);
  addresses = servers.map(({ address }) => address);
});
afterAll(() => Promise.all(servers.map((server) => server[Symbol.asyncDispose]())));

describe("a cluster behind a discovery endpoint, under load", () => {
  async function endpoint(cluster: readonly string[]): Promise<MemcachedServer> {
    const server = await MemcachedServer.start({ cluster });
    onTestFinished(() => server.close());
    return server;
  }

  const often = { intervalMs: 20 };

  test("a server is added, removed and replaced: no error, and only its share of keys moves", async () => {
    const [one, two, three, four] = addresses as [string, string, string, string];
    const discovery = await endpoint([one, two]);
    const followed = await Followed.discover(elasticache(discovery.address, often));

    const added = await followed.change(() => discovery.announce([one, two, three]));
    expect([...added.to]).toEqual([three]);
    expect(added.share).toBeGreaterThan(0.15);
    expect(added.share).toBeLessThan(0.55);
    expect(followed.changes.at(-1)).toMatchObject({ added: [three], removed: [] });

    const replaced = await followed.change(() => discovery.announce([one, four, three]));
    expect(replaced.from.has(two)).toBe(true);
    expect(replaced.to.has(four)).toBe(true);
    expect(replaced.share).toBeLessThan(0.75);
    expect(followed.changes.at(-1)).toMatchObject({ added: [four], removed: [two] });

    const removed = await followed.change(() => discovery.announce([one, four]));
    expect([...removed.from]).toEqual([three]);
    expect(followed.changes.at(-1)).toMatchObject({ added: [], removed: [three] });

    await followed.expectCalm();
    expect(followed.failures).toEqual([]);
  });

  test("a server that left may be stopped once its last calls are answered", async () => {
    await using leaving = await startMemcached();
    const [one, two] = addresses as [string, string];
    const discovery = await endpoint([one, leaving.address, two]);
    const followed = await Followed.discover(elasticache(discovery.address, often));
    await followed.change(() => discovery.announce([one, two]));
    await leaving.stop();
    await followed.load.runs();
    await followed.expectCalm();
  });

  test("the endpoint is gone for a while: the servers stay, and later changes are found", async () => {
    const [one, two, three] = addresses as [string, string, string];
    const discovery = await endpoint([one, two]);
    const followed = await Followed.discover(elasticache(discovery.address, often));
    discovery.refuse();
    await until(() => followed.failures.length >= 3);
    discovery.announce([one, two, three]);
    await followed.load.runs();
    expect(followed.names).toEqual([one, two]);
    await followed.change(() => discovery.listen());
    expect(followed.names).toEqual([one, two, three]);
    expect(followed.failures[0]?.error).toMatchObject({ code: "ERR_MEMCACHED_CONNECT" });
    await followed.expectCalm();
  });

  test("the endpoint hangs, lies, or names nobody: the servers stay", async () => {
    const [one, two, three] = addresses as [string, string, string];
    const discovery = await endpoint([one, two]);
    const asked = elasticache(discovery.address, { ...often, timeoutMs: 300 });
    const followed = await Followed.discover(asked);
    const bad = [
      "SERVER_ERROR out of memory\r\n",
      "CONFIG cluster 0 3\r\n99\n\r\nEND\r\n",
      `CONFIG cluster 0 19\r\n99\n${one}|\r\nEND\r\n`,
    ];
    for (const bytes of bad) {
      const failures = followed.failures.length;
      discovery.faults.add({ on: { command: "config" }, do: { kind: "answer", bytes } });
      await until(() => followed.failures.length > failures);
      discovery.faults.clear();
    }
    discovery.pause();
    await until(() => followed.failures.at(-1)?.error.code === "ERR_MEMCACHED_TIMEOUT");
    discovery.resume();
    const failures = followed.failures.length;
    discovery.announce([]);
    await until(() => followed.failures.length > failures);
    expect(followed.names).toEqual([one, two]);
    expect(followed.changes).toEqual([]);
    await followed.change(() => discovery.announce([one, two, three]));
    await followed.expectCalm();
  });

  test("a server of the cluster that lags changes nothing", async () => {
    const [one, two] = addresses as [string, string];
    const discovery = await endpoint([one]);
    discovery.announce([one, two]);
    const source = elasticache(discovery.address, { intervalMs: 40 });
    const followed = await Followed.discover(source);
    const older = `1\n${one.replace(":", "||")}\n`;
    const reply = `CONFIG cluster 0 ${older.length}\r\n${older}\r\nEND\r\n`;
    const fault = {
      on: { command: "config", times: 1 },
      do: { kind: "answer", bytes: reply },
    } as const;
    discovery.faults.add(fault);
    await until(() => discovery.faults.hits(fault) === 1);
    await discovery.log.next("config");
    await followed.load.runs();
    expect(followed.names).toEqual([one, two]);
    expect(followed.changes).toEqual([]);
    await followed.expectCalm();
  });
});

describe("servers that DNS names, under load", () => {
  let dns: NameServer;
  beforeAll(async () => {
    dns = await NameServer.start();
  });
  afterAll(() => dns[Symbol.asyncDispose]());

  test("a name that moves from one address to another takes the client along", async () => {
    const port = servers[0]!.port;
    await using _moved = await startMemcached({ args: ["-l", `127.0.0.2:${port}`] });
    dns.zones.set("moving.test", { addresses: ["127.0.0.1"] });
    const source = dnsAddresses("moving.test", { port, resolver: dns.resolver(), intervalMs: 20 });
    const followed = await Followed.discover(source);
    const both = await followed.change(() =>
      dns.zones.set("moving.test", { addresses: ["127.0.0.1", "127.0.0.2"] }),
    );
    expect([...both.to]).toEqual([`127.0.0.2:${port}`]);
    await followed.change(() => dns.zones.set("moving.test", { addresses: ["127.0.0.2"] }));
    expect(followed.names).toEqual([`127.0.0.2:${port}`]);
    dns.failing.set("A", "SERVFAIL");
    await until(() => followed.failures.length > 1);
    dns.zones.delete("moving.test");
    dns.failing.clear();
    await until(() => followed.failures.at(-1)?.error.code === "ERR_MEMCACHED_NO_SERVER");
    expect(followed.names).toEqual([`127.0.0.2:${port}`]);
    await followed.expectCalm();
  });

  test("a service's servers come and go, and their weights change", async () => {
    const record = (n: number, weight = 33) => {
      return { name: "localhost", port: servers[n]!.port, priority: 10, weight };
    };
    dns.zones.set("_memcached._tcp.test", { services: [record(0), record(1)] });
    const source = dnsService("_memcached._tcp.test", {
      resolver: dns.resolver(),
      intervalMs: 20,
    });
    const options = { behaviors: { ketama_weighted: true }, timeoutMs: 5000 };
    const followed = await Followed.discover(source, options);
    const name = (n: number) => `localhost:${servers[n]!.port}`;
    await followed.change(() =>
      dns.zones.set("_memcached._tcp.test", { services: [record(1), record(2), record(0)] }),
    );
    expect(followed.changes.at(-1)).toMatchObject({ added: [name(2)], removed: [] });
    const share = () =>
      KEYS.filter((key) => followed.client.serverFor(key).name === name(2)).length / KEYS.length;
    const before = share();
    await followed.change(() =>
      dns.zones.set("_memcached._tcp.test", { services: [record(0), record(1), record(2, 330)] }),
    );
    expect(share() / before).toBeGreaterThan(1.4);
    expect(followed.client.servers.map(({ weight }) => weight).sort()).toEqual([1, 1, 10]);
    await followed.expectCalm();
  });
});

test("a file of servers, written anew and renamed, under load", async () => {
  const folder = mkdtempSync(join(tmpdir(), "membership-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "servers");
  const replace = (text: string) => {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  };
  replace(`${addresses.slice(0, 2).join("\n")}\n`);
  const followed = await Followed.discover(serverFile(path));
  const added = await followed.change(() => replace(JSON.stringify(addresses.slice(0, 3))));
  expect([...added.to]).toEqual([addresses[2]]);
  const failures = followed.failures.length;
  replace(`${addresses[0]}\n127.0.0.1:`);
  await until(() => followed.failures.length > failures);
  expect(followed.names).toEqual(addresses.slice(0, 3));
  const removed = await followed.change(() => replace(`# one\n${addresses[1]}\n`));
  expect(removed.to).toEqual(new Set([addresses[1]]));
  await followed.expectCalm();
});

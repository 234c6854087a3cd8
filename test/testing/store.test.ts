import { Clock, MemcachedServer, type MemcachedServerOptions } from "tslibmc/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startMemcached } from "../support/memcached.js";
import { until } from "../support/until.js";
import { COMPAT } from "./support/counterpart.js";
import { Wire } from "./support/wire.js";

let server: MemcachedServer;
let wire: Wire;

async function start(options: MemcachedServerOptions = {}): Promise<void> {
  server = await MemcachedServer.start(options);
  wire = Wire.to(server);
}

afterEach(async () => {
  wire.close();
  await server.close();
});

describe("expiry", () => {
  beforeEach(async () => {
    await start();
    server.clock.stop();
  });

  it("happens when the clock says so, without waiting", async () => {
    expect(await wire.ask("set a 0 10 1\r\nx\r\n")).toBe("STORED\r\n");
    server.clock.advance(9);
    expect(await wire.ask("mg a t\r\n")).toBe("HD t1\r\n");
    server.clock.advance(1);
    expect(await wire.ask("get a\r\n")).toBe("END\r\n");
  });

  it("takes out what is found to be gone", async () => {
    await wire.ask("set a 0 10 1\r\nx\r\nset b 0 0 1\r\nx\r\n");
    server.clock.advance(10);
    await wire.ask("get a\r\n");
    expect(server.size).toBe(1);
    await wire.ask("delete b\r\n");
    expect(await wire.ask("stats\r\n")).toContain("STAT bytes 0\r\n");
  });

  it("takes up to 30 days as relative and more as a date", async () => {
    const now = server.clock.now();
    await wire.ask(`set r 0 2592000 1\r\nx\r\nset d 0 ${now + 2592005} 1\r\nx\r\n`);
    await wire.ask("set past 0 2592001 1\r\nx\r\n");
    expect(await wire.ask("mg r t\r\nmg d t\r\nmg past t\r\n")).toBe(
      "HD t2592000\r\nHD t2592005\r\nEN\r\n",
    );
  });

  it("is at once for a negative time, and never for 0", async () => {
    await wire.ask("set gone 0 -1 1\r\nx\r\nset kept 0 0 1\r\nx\r\n");
    server.clock.advance(10 * 365 * 86400);
    expect(await wire.ask("mg gone\r\nmg kept t\r\n")).toBe("EN\r\nHD t-1\r\n");
  });

  it("moves with touch, gat and the T flag", async () => {
    await wire.ask("set a 0 10 1\r\nx\r\n");
    expect(await wire.ask("touch a 100\r\nmg a t\r\n")).toBe("TOUCHED\r\nHD t100\r\n");
    expect(await wire.ask("gat 200 a\r\nmg a t\r\n")).toBe(
      "VALUE a 0 1\r\nx\r\nEND\r\nHD t200\r\n",
    );
    expect(await wire.ask("mg a t T300\r\nmg a t\r\n")).toBe("HD t200\r\nHD t300\r\n");
  });

  it("flushes after a delay", async () => {
    await wire.ask("set a 0 0 1\r\nx\r\nflush_all 10\r\n");
    server.clock.advance(8);
    expect(await wire.ask("mg a\r\n")).toBe("HD\r\n");
    server.clock.advance(1);
    expect(await wire.ask("mg a\r\n")).toBe("EN\r\n");
    server.clock.advance(1);
    await wire.ask("set a 0 0 1\r\nx\r\n");
    expect(await wire.ask("mg a\r\n")).toBe("HD\r\n");
  });

  it("flushes at once what was written in the second that a flush is due in", async () => {
    await wire.ask("set a 0 0 1\r\nx\r\nflush_all 1\r\nflush_all 100\r\n");
    expect(await wire.ask("mg a\r\n")).toBe("EN\r\n");
  });

  it("can be moved over the wire as in memcached's debug build", async () => {
    await wire.ask("set a 0 10 1\r\nx\r\n");
    expect(await wire.ask("debugtime 20\r\nget a\r\n")).toBe("OK\r\nEND\r\n");
    expect(await wire.ask("debugtime r\r\ndebugtime p\r\ndebugtime x\r\n")).toBe(
      "OK\r\nOK\r\nERROR\r\n",
    );
  });

  it("tells the time since the last access from the second read on", async () => {
    await wire.ask("set a 0 0 1\r\nx\r\n");
    server.clock.advance(5);
    expect(await wire.ask("mg a h l\r\n")).toBe("HD h0 l5\r\n");
    server.clock.advance(5);
    expect(await wire.ask("mg a h l\r\n")).toBe("HD h1 l10\r\n");
    expect(await wire.ask("mg a h l\r\n")).toBe("HD h1 l0\r\n");
  });
});

describe("a clock", () => {
  it("runs with the machine's unless it is stopped", async () => {
    await start();
    const clock = new Clock();
    const before = Math.floor(Date.now() / 1000);
    expect(clock.now()).toBeGreaterThanOrEqual(before);
    clock.stop();
    const stopped = clock.now();
    clock.advance(-3);
    expect(clock.now()).toBe(stopped - 3);
    clock.resume();
    expect(clock.now()).toBeGreaterThanOrEqual(stopped - 3);
  });

  it("can be shared by several servers", async () => {
    const clock = new Clock();
    await start({ clock });
    await using other = await MemcachedServer.start({ clock });
    const second = Wire.to(other);
    await wire.ask("set a 0 10 1\r\nx\r\n");
    await second.ask("set a 0 10 1\r\nx\r\n");
    clock.advance(10);
    expect(await wire.ask("get a\r\n")).toBe("END\r\n");
    expect(await second.ask("get a\r\n")).toBe("END\r\n");
    second.close();
  });
});

describe("memory", () => {
  const value = "v".repeat(1000);
  const set = (key: string) => `set ${key} 0 0 1000 noreply\r\n${value}\r\n`;

  it("is freed of what was used longest ago", async () => {
    await start({ memoryLimit: 12_000 });
    for (let i = 0; i < 8; i++) await wire.ask(set(`k${i}`));
    await wire.ask("get k0\r\n");
    for (let i = 8; i < 12; i++) await wire.ask(set(`k${i}`));
    const stats = await wire.ask("stats\r\n");
    expect(Number(/evictions (\d+)/.exec(stats)?.[1])).toBeGreaterThan(0);
    expect(await wire.ask("mg k0\r\nmg k1\r\nmg k11\r\n")).toBe("HD\r\nEN\r\nHD\r\n");
  });

  it("refuses new items instead with -M, and drops what was to be replaced", async () => {
    await start({ memoryLimit: 12_000, evict: false });
    for (let i = 0; i < 20; i++) await wire.ask(set(`k${i}`));
    expect(await wire.ask(`set k0 0 0 1000\r\n${value}\r\n`)).toBe(
      "SERVER_ERROR out of memory storing object\r\n",
    );
    expect(await wire.ask("mg k0\r\nmg k1\r\n")).toBe("EN\r\nHD\r\n");
  });

  it("is not made for what a command makes by the way, with -M", async () => {
    await start({ memoryLimit: 12_000, evict: false });
    await wire.ask("set n 0 0 1\r\n9\r\n");
    for (let i = 0; i < 20; i++) await wire.ask(set(`k${i}`));
    for (let i = 0; i < 200; i++) await wire.ask(`set s${i} 0 0 1 noreply\r\n1\r\n`);
    const { size } = server;
    expect(
      await wire.ask("incr n 1\r\nma n\r\nma none N9\r\nmg none N9\r\nmd n x\r\nget n\r\n"),
    ).toBe(
      "SERVER_ERROR out of memory\r\nSERVER_ERROR out of memory\r\n" +
        "SERVER_ERROR Out of memory allocating new item\r\nEN\r\n" +
        "SERVER_ERROR out of memory\r\nVALUE n 0 1\r\n9\r\nEND\r\n",
    );
    expect(server.size).toBe(size);
  });

  it("is reclaimed from what has expired, without an eviction", async () => {
    await start({ memoryLimit: 12_000 });
    server.clock.stop();
    for (let i = 0; i < 8; i++) await wire.ask(`set k${i} 0 5 1000 noreply\r\n${value}\r\n`);
    server.clock.advance(5);
    for (let i = 8; i < 16; i++) await wire.ask(set(`k${i}`));
    const stats = await wire.ask("stats\r\n");
    expect(stats).toContain("STAT evictions 0\r\n");
    expect(stats).toContain("STAT reclaimed 8\r\n");
    expect(stats).toContain("STAT curr_items 8\r\n");
  });

  it("can be changed while it runs", async () => {
    await start({ memoryLimit: 64 * 1024 * 1024 });
    const large = "v".repeat(500_000);
    for (let i = 0; i < 20; i++) await wire.ask(`set k${i} 0 0 500000 noreply\r\n${large}\r\n`);
    expect(server.size).toBe(20);
    expect(await wire.ask("cache_memlimit 8\r\n")).toBe("OK\r\n");
    expect(server.size).toBeLessThan(17);
    expect(await wire.ask("mg k19\r\nmg k0\r\n")).toBe("HD\r\nEN\r\n");
  });

  it("has no room for an item over the limit, whose old value goes", async () => {
    await start();
    await wire.ask("set a 0 0 1\r\nx\r\n");
    const body = "v".repeat(1024 * 1024);
    expect(await wire.ask(`set a 0 0 ${body.length}\r\n${body}\r\nget a\r\n`)).toBe(
      "SERVER_ERROR object too large for cache\r\nEND\r\n",
    );
    const fitting = "v".repeat(1_048_500);
    expect(await wire.ask(`set a 0 0 ${fitting.length}\r\n${fitting}\r\n`)).toBe("STORED\r\n");
  });
});

describe("without cas", () => {
  it("shows 0 for every item", async () => {
    await start({ cas: false });
    await wire.ask("set a 0 0 1\r\nx\r\n");
    expect(await wire.ask("gets a\r\n")).toBe("VALUE a 0 1 0\r\nx\r\nEND\r\n");
  });

  const WORK =
    "ms a 1 E9 c\r\nx\r\nmg b N9 E9 c\r\nma n N0 E9 c\r\nma n E9 c\r\nmd a I E9\r\nmg a c\r\n" +
    "md a x E9\r\nmg a c\r\nms a 1 MA C5\r\nx\r\nms a 1 C5\r\nx\r\nmd a C5\r\n";

  it.runIf(COMPAT === "newest")("gives and compares none, as memcached", async () => {
    await start({ cas: false });
    await using real = await startMemcached({ args: ["-C"] });
    const theirs = Wire.to(real);
    expect(await wire.ask(WORK)).toBe(await theirs.ask(WORK));
    theirs.close();
  });
});

describe("a restart", () => {
  it("leaves what commands have set behind", async () => {
    await start();
    const before = await wire.ask("stats settings\r\n");
    await wire.ask(
      "cache_memlimit 8\r\nverbosity 2\r\nlru tune 11 22 0.3 4.5\r\nstats detail on\r\n",
    );
    expect(await wire.ask("stats settings\r\n")).not.toBe(before);
    await server.restart();
    wire = Wire.to(server);
    expect(await wire.ask("stats settings\r\n")).toBe(before);
  });
});

describe("answers longer than a string can be", () => {
  const megabyte = "v".repeat(1_000_000);

  beforeEach(async () => {
    await start();
    await wire.ask(`set a 0 0 ${megabyte.length}\r\n${megabyte}\r\n`);
  });

  it("go out one after the other", async () => {
    const greedy = Wire.to(server).send("get a\r\n".repeat(600));
    greedy.socket.pause();
    await until(async () => (await wire.ask("stats\r\n")).includes("STAT get_hits 600\r\n"));
    greedy.close();
  });

  it("are an error where one line asks for them", async () => {
    expect(await wire.ask(`get${" a".repeat(600)}\r\n`)).toBe(
      "SERVER_ERROR out of memory writing get response\r\n",
    );
  });
});

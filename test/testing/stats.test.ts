import { MemcachedServer } from "tslibmc/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Memcached, startMemcached } from "../support/memcached.js";
import { COMPAT, describeAgainst, VERSION } from "./support/counterpart.js";
import { exchange, Wire } from "./support/wire.js";

/** Names of figures that depend on threads, time and memory, which an embedded server has not. */
const INCIDENTAL =
  /^(pid|uptime|time|rusage_\w+|threads|\w*conn\w*|response_obj_\w+|read_buf_\w+|lru_maintainer_juggles|lru_crawler_starts|crawler_items_checked|moves_\w+|lrutail_\w+|bytes_read|bytes_written|tcpport|umask|items:\d+:(number_\w+|age\w*|moves_\w+|lrutail_\w+|hits_\w+|crawler_\w+)|\d+:(addr|listen_addr|state|secs_since_last_cmd))$/;

const WORK =
  "set a 0 0 3\r\nabc\r\nset b 5 100 3\r\nabc\r\nset n 0 0 1\r\n5\r\nget a\r\nget a x\r\n" +
  "incr n 1\r\nincr z 1\r\ndecr n 1\r\nma made N0\r\nma made2 N0 MD\r\nma none MD\r\ndelete b\r\ndelete b\r\ntouch a 0\r\ntouch z 0\r\n" +
  "cas a 0 0 1 99999\r\nx\r\ncas z 0 0 1 1\r\nx\r\ngat 0 a\r\nmg a v\r\nmg z\r\nma n\r\nme a\r\n" +
  `set l 0 0 2000000\r\n${"x".repeat(2_000_000)}\r\nset m 0 0 700\r\n${"x".repeat(700)}\r\nadd m 0 0 700\r\n${"x".repeat(700)}\r\n`;

function entries(reply: string): Map<string, string> {
  return new Map(
    [...reply.matchAll(/^STAT (\S+) (.*)\r$/gm)].map(([, name, value]) => [name!, value!]),
  );
}

describeAgainst(`stats against memcached ${VERSION}`, () => {
  let real: Memcached;
  let embedded: MemcachedServer;
  let theirs: Wire;
  let ours: Wire;

  beforeAll(async () => {
    real = await startMemcached();
    embedded = await MemcachedServer.start({ compat: COMPAT });
    theirs = Wire.to(real);
    ours = Wire.to(embedded);
    await theirs.ask(WORK);
    await ours.ask(WORK);
  });
  afterAll(async () => {
    theirs.close();
    ours.close();
    await real[Symbol.asyncDispose]();
    await embedded.close();
  });

  it.each(["", " settings"])("has the same names and figures in stats%s", async (sub) => {
    const expected = entries(await theirs.ask(`stats${sub}\r\n`));
    const got = entries(await ours.ask(`stats${sub}\r\n`));
    expect([...got.keys()]).toEqual([...expected.keys()]);
    for (const [name, value] of expected) {
      if (!INCIDENTAL.test(name)) expect([name, got.get(name)]).toEqual([name, value]);
    }
  });

  it.each(["items", "slabs"])("has the same figures for used classes in stats %s", async (sub) => {
    const expected = entries(await theirs.ask(`stats ${sub}\r\n`));
    const got = entries(await ours.ask(`stats ${sub}\r\n`));
    const first = [...got].filter(([name]) => /^(items:)?1:/.test(name));
    expect(first.length).toBeGreaterThan(10);
    for (const [name, value] of first) {
      if (!INCIDENTAL.test(name)) expect([name, value]).toEqual([name, expected.get(name)]);
    }
  });

  it("counts prefixes", async () => {
    const work =
      "stats detail on\r\nset u:1 0 0 1\r\nx\r\nget u:1 u:2 v:1 plain\r\ndelete u:1\r\n" +
      "stats detail dump\r\nstats detail off\r\nget u:1\r\nstats detail dump\r\n";
    const lines = (reply: string) => reply.split("\r\n").sort();
    expect(lines(await ours.ask(work))).toEqual(lines(await theirs.ask(work)));
  });

  it("shows in its settings what was tuned", async () => {
    const work =
      "lru tune 11 22 0.3 4.5\r\nlru temp_ttl 77\r\nslabs automove 2\r\nlru mode flat\r\n" +
      "cache_memlimit 32\r\n";
    const NAMES = /lru|ttl|automove|hot|warm|maxbytes/;
    const settings = async (wire: Wire) => {
      await wire.ask(work);
      return [...entries(await wire.ask("stats settings\r\n"))].filter(([name]) =>
        NAMES.test(name),
      );
    };
    const expected = await settings(theirs);
    expect(expected.length).toBeGreaterThan(8);
    expect(await settings(ours)).toEqual(expected);
  });

  it("counts sizes once they are tracked", async () => {
    const work = `stats sizes_enable\r\nset s 0 0 100\r\n${"x".repeat(100)}\r\nstats sizes\r\n`;
    expect(await ours.ask(work)).toBe(await theirs.ask(work));
  });

  it("lists the items of a class", async () => {
    embedded.clear();
    await ours.ask("set k 0 0 1\r\nx\r\n");
    expect(await ours.ask("stats cachedump 1 0\r\n")).toBe("ITEM k [1 b; 0 s]\r\nEND\r\n");
    expect(await ours.ask("stats cachedump 2 0\r\n")).toBe("END\r\n");
  });

  it("begins anew after a reset", async () => {
    const [got, expected] = await Promise.all(
      [ours, theirs].map(async (wire) => {
        await wire.ask("stats reset\r\nget k\r\n");
        return entries(await wire.ask("stats\r\n"));
      }),
    );
    for (const name of ["cmd_get", "cmd_set", "total_items", "log_watcher_sent"]) {
      expect([name, got!.get(name)]).toEqual([name, expected!.get(name)]);
    }
    expect(got!.get("cmd_get")).toBe("1");
  });

  it("lists connections", async () => {
    const other = Wire.to(embedded);
    await other.ask("version\r\n");
    const got = entries(await ours.ask("stats conns\r\n"));
    expect(got.get("0:state")).toBe("conn_listening");
    expect(got.get("1:state")).toBe("conn_parse_cmd");
    expect(got.get("2:state")).toBe("conn_read");
    expect(got.get("2:addr")).toMatch(/^tcp:127\.0\.0\.1:\d+$/);
    other.close();
  });

  it("has no miss for what a delete with another cas leaves, over the binary protocol", async () => {
    const request = Buffer.concat([Buffer.alloc(24), Buffer.from("a")]);
    request.set([0x80, 0x04, 0, 1]);
    request.writeUInt32BE(1, 8);
    request.writeBigUInt64BE(99999n, 16);
    const misses = async (wire: Wire, { port }: { port: number }) => {
      await wire.ask("set a 0 0 1\r\nx\r\nstats reset\r\n");
      expect(await exchange(port, request.toString("latin1"))).toContain("Data exists");
      return entries(await wire.ask("stats\r\n")).get("delete_misses");
    };
    expect(await misses(ours, embedded)).toBe(await misses(theirs, real));
  });
});

describeAgainst(`slab classes, against memcached ${VERSION}`, () => {
  it("are those of memcached", async () => {
    await using server = await MemcachedServer.start({ compat: COMPAT });
    await using real = await startMemcached();
    const ours = Wire.to(server);
    const theirs = Wire.to(real);
    for (let size = 1; size < 1_000_000; size = Math.ceil(size * 1.3)) {
      const work = `set k 0 0 ${size}\r\n${"x".repeat(size)}\r\nme k\r\n`;
      const line = (reply: string) => reply.replace(/ (la|cas)=\d+/g, "");
      expect(line(await ours.ask(work))).toBe(line(await theirs.ask(work)));
    }
    ours.close();
    theirs.close();
  });
});

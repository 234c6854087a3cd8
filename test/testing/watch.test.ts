import { MemcachedServer } from "tslibmc/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startMemcached } from "../support/memcached.js";
import { COMPAT, describeAgainst, VERSION } from "./support/counterpart.js";
import { Wire } from "./support/wire.js";

let server: MemcachedServer;
let wire: Wire;
let watcher: Wire;

beforeEach(async () => {
  server = await MemcachedServer.start({ memoryLimit: 4_000 });
  wire = Wire.to(server);
  watcher = Wire.to(server);
});

afterEach(async () => {
  wire.close();
  watcher.close();
  await server.close();
});

/** What is watched, and how many lines that makes. */
const WATCHED: readonly (readonly [topic: string, work: string, count: number])[] = [
  ["fetchers", "get a%b x\r\nmg a%b v\r\ngat 0 x\r\nincr n 1\r\ntouch a%b 0\r\n", 6],
  [
    "mutations",
    "set a 0 0 3\r\nabc\r\nadd a 0 50 1\r\nx\r\nms q 1 MA\r\nx\r\nms q 1\r\nx\r\ncas a 0 0 1 1\r\nx\r\n" +
      "append a 0 0 1\r\nx\r\nreplace none 0 0 1\r\nx\r\nms YWI= 1 b\r\nx\r\nma v N0\r\nma v\r\nmg w N30\r\nset end 0 0 0\r\n\r\n",
    10,
  ],
  ...(COMPAT === "newest"
    ? [["deletions", "delete a%b\r\nmd n x\r\nmd n\r\nmd none\r\n", 3] as const]
    : []),
];

describeAgainst(`watchers, against memcached ${VERSION}`, () => {
  it.each(WATCHED)("of %s see the same", async (topic, work, count) => {
    await using real = await startMemcached();
    await using embedded = await MemcachedServer.start({ compat: COMPAT });
    const [theirs, ours] = await Promise.all(
      [real, embedded].map((one) => watchedOn(one, topic, work, count)),
    );
    expect(ours).toEqual(theirs);
  });
});

async function watchedOn(
  server: { readonly port: number },
  topic: string,
  work: string,
  count: number,
): Promise<string[]> {
  const [watching, working] = [Wire.to(server), Wire.to(server)];
  await working.ask("set a%b 0 0 3\r\nabc\r\nset n 0 0 1\r\n5\r\n");
  await watching.send(`watch ${topic}\r\n`).until("OK\r\n");
  await working.ask(work);
  let lines = "";
  while (lines.split("\n").length <= count) lines += await watching.until("\n");
  for (const wire of [watching, working]) wire.close();
  return lines.replace(/ts=\S+ gid=\d+ | cfd=\d+/g, "").split("\n");
}

/** Log lines without times and numbers of lines. */
async function watched(topic: string, work: string, count: number): Promise<string[]> {
  await watcher.send(`watch ${topic}\r\n`).until("OK\r\n");
  await wire.ask(work);
  const lines: string[] = [];
  while (lines.length < count) {
    lines.push(...(await watcher.until("\n")).trim().split("\n"));
  }
  return lines.map((line) => line.replace(/^ts=\d+\.\d+ gid=\d+ /, ""));
}

describe("watchers", () => {
  it("see look-ups", async () => {
    await wire.ask("set a%b 0 0 3\r\nabc\r\n");
    expect(await watched("fetchers", "get a%b x\r\n", 2)).toEqual([
      "type=item_get key=a%25b status=found clsid=1 cfd=1 size=3",
      "type=item_get key=x status=not_found clsid=0 cfd=1 size=0",
    ]);
  });

  it("see what is stored, and what is not", async () => {
    expect(await watched("mutations", "set a 0 0 3\r\nabc\r\nadd a 0 50 1\r\nx\r\n", 2)).toEqual([
      "type=item_store key=a status=stored cmd=set ttl=0 clsid=1 cfd=1 size=3",
      "type=item_store key=a status=not_stored cmd=add ttl=50 clsid=1 cfd=1 size=1",
    ]);
  });

  it("see deletions", async () => {
    const work = "set a 0 0 1\r\nx\r\ndelete a\r\nset b 0 0 1\r\nx\r\nmd b\r\n";
    expect(await watched("deletions", work, 2)).toEqual([
      "type=deleted key=a cmd=delete clsid=1 size=1",
      "type=deleted key=b cmd=md clsid=1 size=1",
    ]);
  });

  it("see evictions", async () => {
    const set = (key: string) => `set ${key} 0 0 1000\r\n${"v".repeat(1000)}\r\n`;
    const [line] = await watched("evictions", set("a") + set("b") + set("c") + set("d"), 1);
    expect(line).toMatch(/^type=eviction key=a fetch=no ttl=-1 la=0 clsid=\d+ size=1000$/);
  });

  it("see connections come and go", async () => {
    await watcher.send("watch connevents\r\n").until("OK\r\n");
    const other = Wire.to(server);
    expect(await watcher.until("\n")).toContain("type=conn_new rip=127.0.0.1 rport=");
    other.close();
    expect(await watcher.until("\n")).toContain("reason=normal cfd=3");
    Wire.to(server).send("GET / HTTP/1.1\r\n");
    await watcher.until("\n");
    expect(await watcher.until("\n")).toContain("reason=error cfd=4");
  });

  it("get nothing but that, and are forgotten when they go", async () => {
    await watcher.send("watch\r\n").until("OK\r\n");
    watcher.send("version\r\n");
    expect(await wire.ask("stats\r\n")).toContain("STAT log_watchers 1\r\n");
    watcher.close();
    await watcher.ended;
    while (server.connections > 1) await new Promise((resolve) => setImmediate(resolve));
    expect(await wire.ask("stats\r\n")).toContain("STAT log_watchers 0\r\n");
    expect(watcher.received).toBe("");
  });

  it("have lines left out while they do not read", async () => {
    await watcher.send("watch\r\n").until("OK\r\n");
    watcher.socket.pause();
    const key = "k".repeat(250);
    let left = 0;
    for (let i = 0; i < 200 && left === 0; i++) {
      const stats = await wire.ask(`${`get ${key}\r\n`.repeat(1000)}stats\r\n`);
      left = Number(/log_watcher_skipped (\d+)/.exec(stats)?.[1]);
    }
    expect(left).toBeGreaterThan(0);
    watcher.socket.resume();
    while (!watcher.received.includes("skipped=")) await wire.ask("get a\r\n");
  });

  it("cannot come behind other commands", async () => {
    expect(await wire.send("version\r\nwatch\r\n").until("watch\r\n")).toContain(
      "ERROR cannot pipeline other commands before watch\r\n",
    );
    expect(await wire.ask("watch nosuch\r\n")).toBe("ERROR\r\n");
  });
});

import { spawn } from "node:child_process";
import { type Compat, MemcachedServer } from "tslibmc/testing";
import { describe, expect, it } from "vitest";

/** Runs libmemcached's test of servers; resolves to each test's name, and whether it passed. */
async function memccapable(port: number, protocol: "-a" | "-b"): Promise<Map<string, boolean>> {
  const child = spawn("memccapable", ["-h", "127.0.0.1", "-p", String(port), protocol]);
  let output = "";
  child.stdout.on("data", (text) => {
    output += text;
  });
  // A failure and the end of its line go there.
  child.stderr.resume();
  await new Promise((resolve) => child.once("close", resolve));
  const tests = output.matchAll(/((?:ascii|binary)(?: [a-z]+)+) {2,}(\[pass\])?/g);
  return new Map([...tests].map(([, name, passed]) => [name!, passed !== undefined]));
}

function failed(tests: ReadonlyMap<string, boolean>): string[] {
  return [...tests].filter(([, passed]) => !passed).map(([name]) => name);
}

describe("memccapable", () => {
  const PROTOCOLS = [
    ["ascii", "-a"],
    ["binary", "-b"],
  ] as const;

  it.concurrent.each(PROTOCOLS)("passes every %s test as 1.6.18", async (_, flag) => {
    await using server = await MemcachedServer.start({ compat: "1.6.18" });
    const tests = await memccapable(server.port, flag);
    expect(failed(tests)).toEqual([]);
    expect(tests.size).toBe(27);
  });

  it.concurrent.each<[Compat, string[]]>([
    // The newest releases ignore the hold time of a delete, which this test wants refused.
    ["newest", ["ascii delete", "ascii delete noreply"]],
    ["1.4", []],
  ])("fails as memcached does as %s", async (compat, expected) => {
    await using server = await MemcachedServer.start({ compat });
    const tests = new Map([
      ...(await memccapable(server.port, "-a")),
      ...(await memccapable(server.port, "-b")),
    ]);
    expect(failed(tests)).toEqual(expected);
    expect(tests.size).toBe(54);
  });
});

import { MemcachedServer } from "tslibmc/testing";
import { describe, expect, it } from "vitest";
import { runPython } from "../support/python.js";

const SCRIPT = `
import pylibmc
c = pylibmc.Client([input["address"]], binary=input["binary"], behaviors={"cas": True})
output = {
    "set": c.set("a", {"x": [1, 2.5, None]}),
    "get": c.get("a"),
    "large": c.set("large", b"x" * 500000),
    "large_back": len(c.get("large")),
    "compressed": c.set("z", "y" * 10000, min_compress_len=100) and c.get("z") == "y" * 10000,
    "add": [c.add("n", 5), c.add("n", 6)],
    "incr": [c.incr("n"), c.incr("n", 10), c.decr("n", 100)],
    "append": c.set("s", b"b") and c.append("s", b"c") and c.prepend("s", b"a") and c.get("s"),
    "multi": c.set_multi({"m%d" % i: i for i in range(200)}),
    "multi_back": sum(c.get_multi(["m%d" % i for i in range(300)]).values()),
    "touch": [c.touch("a", 100), c.touch("none", 100)],
    "delete": [c.delete("a"), c.delete("a")],
    "gone": c.get("a"),
    "stats": c.get_stats()[0][1]["version"] if input["address"] else None,
}
value, token = c.gets("s")
output["cas"] = [c.cas("s", b"new", token), c.cas("s", b"newer", token), c.get("s")]
output["flush"] = [c.flush_all(), c.get("s")]
`;

describe.each([false, true])("pylibmc, binary: %s", (binary) => {
  it("finds a memcached", async () => {
    await using server = await MemcachedServer.start();
    const output = await runPython<Record<string, unknown>>(SCRIPT, {
      address: server.address,
      binary,
    });
    expect(output).toEqual({
      set: true,
      get: { x: [1, 2.5, null] },
      large: true,
      large_back: 500_000,
      compressed: true,
      add: [true, false],
      incr: [6, 16, 0],
      append: Buffer.from("abc"),
      multi: [],
      multi_back: 19_900,
      touch: [true, false],
      delete: [true, false],
      gone: null,
      stats: expect.anything(),
      cas: [true, false, Buffer.from("new")],
      flush: [true, null],
    });
  });
});

import { type Fault, type FaultAction, MemcachedServer } from "tslibmc/testing";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { Log } from "../../src/testing/log.js";
import { bytesInUse } from "../support/garbage.js";
import { until } from "../support/until.js";
import { exchange, Wire } from "./support/wire.js";

let server: MemcachedServer;
let wire: Wire;

beforeEach(async () => {
  server = await MemcachedServer.start();
  wire = Wire.to(server);
  await wire.ask("set a 5 0 3\r\nabc\r\nset n 0 0 1\r\n1\r\n");
});

afterEach(async () => {
  wire.close();
  await server.close();
});

const GOT = "VALUE a 5 3\r\nabc\r\nEND\r\n";

function onGet(action: FaultAction): Fault {
  return { on: { command: "get" }, do: action };
}

describe("faults that change the answer", () => {
  it.each<[FaultAction, string]>([
    [{ kind: "answer", bytes: "SERVER_ERROR out of memory\r\n" }, "SERVER_ERROR out of memory\r\n"],
    [{ kind: "silence" }, ""],
    [{ kind: "before", bytes: "END\r\n" }, `END\r\n${GOT}`],
    [{ kind: "after", bytes: "STORED\r\n" }, `${GOT}STORED\r\n`],
    [{ kind: "repeat" }, GOT + GOT],
    [{ kind: "key", key: "other" }, "VALUE other 5 3\r\nabc\r\nEND\r\n"],
    [{ kind: "length", length: "-1" }, "VALUE a 5 -1\r\nabc\r\nEND\r\n"],
    [{ kind: "length", length: "99999999999" }, "VALUE a 5 99999999999\r\nabc\r\nEND\r\n"],
    [{ kind: "unterminated" }, "VALUE a 5 3\r\nabc\r\nEND"],
    [{ kind: "delay", ms: 5 }, GOT],
    [{ kind: "trickle", bytes: 1, ms: 0 }, GOT],
  ])("%j", async (action, expected) => {
    server.faults.add(onGet(action));
    expect(await wire.ask("get a\r\n")).toBe(expected);
  });

  it("swaps two answers", async () => {
    server.faults.add(onGet({ kind: "swap" }));
    expect(await wire.send("get a\r\nmg n v\r\n").until("END\r\n")).toBe(`VA 1\r\n1\r\n${GOT}`);
  });

  it("spoils the tokens of meta answers", async () => {
    server.faults.add(
      { on: { command: "mg" }, do: { kind: "opaque", opaque: "zz" } },
      { on: { command: "mg" }, do: { kind: "key", key: "other" } },
    );
    expect(await wire.ask("mg a k Oxy v\r\n")).toBe("VA 3 kother Ozz\r\nabc\r\n");
    expect(await wire.ask("mg none k Oxy v\r\n")).toBe("EN kother Ozz\r\n");
  });

  it("spoils binary packets", async () => {
    const get = "\x80\x0c\0\x01\0\0\0\0\0\0\0\x01\0\0\0\x07\0\0\0\0\0\0\0\0a";
    const binary = Wire.to(server);
    server.faults.add(
      { on: { command: "get", nth: 1 }, do: { kind: "key", key: "other" } },
      { on: { command: "get", nth: 2 }, do: { kind: "opaque", opaque: "\xff\xff\xff\xff" } },
      { on: { command: "get", nth: 3 }, do: { kind: "length", length: "4294967295" } },
    );
    const first = await binary.send(get).bytes(24 + 4 + 5 + 3);
    expect(first.slice(24)).toBe("\0\0\0\x05otherabc");
    expect(first.slice(2, 4)).toBe("\0\x05");
    expect(first.slice(8, 12)).toBe("\0\0\0\x0c");
    const second = await binary.send(get).bytes(24 + 4 + 1 + 3);
    expect(second.slice(12, 16)).toBe("\xff\xff\xff\xff");
    const third = await binary.send(get).bytes(24 + 4 + 1 + 3);
    expect(third.slice(8, 12)).toBe("\xff\xff\xff\xff");
    binary.close();
  });
});

describe("what an answer of its own does with the request", () => {
  const error = { kind: "answer", bytes: "SERVER_ERROR\r\n" } as const;

  it("does not carry it out, and reads past its data", async () => {
    server.faults.add({ on: { command: "set" }, do: error });
    expect(await wire.ask("set a 0 0 9\r\nflush_all\r\nget a\r\n")).toBe(`SERVER_ERROR\r\n${GOT}`);
  });

  it("carries it out if it says so", async () => {
    server.faults.add({ on: { command: "incr" }, do: { ...error, execute: true } });
    expect(await wire.ask("incr n 1\r\nget n\r\n")).toBe(
      "SERVER_ERROR\r\nVALUE n 0 1\r\n2\r\nEND\r\n",
    );
  });
});

describe("faults that end the connection", () => {
  it("closes instead of an answer", async () => {
    server.faults.add(onGet({ kind: "close" }));
    wire.send("get a\r\n");
    expect(await wire.ended).toBe("close");
    expect(wire.received).toBe("");
  });

  it("resets", async () => {
    server.faults.add(onGet({ kind: "reset" }));
    wire.send("get a\r\n");
    expect(await wire.ended).toBe("reset");
  });

  it.each([0, 1, 10, 20])("cuts after %i bytes", async (bytes) => {
    server.faults.add(onGet({ kind: "cut", bytes, ending: "close" }));
    wire.send("get a\r\n");
    expect(await wire.rest()).toBe(GOT.slice(0, bytes));
  });

  it("cuts and hangs, while others are served", async () => {
    server.faults.add({
      on: { command: "get", connection: 1 },
      do: { kind: "cut", bytes: 4, ending: "hang" },
    });
    expect(await wire.send("get a\r\nget a\r\n").bytes(4)).toBe("VALU");
    const other = Wire.to(server);
    expect(await other.ask("get a\r\n")).toBe(GOT);
    expect(wire.received).toBe("");
    other.close();
  });

  it("stalls for good", async () => {
    server.faults.add({ on: { command: "get", times: 1 }, do: { kind: "stall" } });
    wire.send("get a\r\nget a\r\n");
    const other = Wire.to(server);
    expect(await other.ask("get a\r\n")).toBe(GOT);
    expect(wire.received).toBe("");
    other.close();
  });
});

describe("faults of connecting", () => {
  it("accepts and never reads", async () => {
    server.faults.add({ on: { command: "connect" }, do: { kind: "deaf" } });
    const deaf = Wire.to(server);
    deaf.send("get a\r\n".repeat(1000));
    expect(await wire.ask("get a\r\n")).toBe(GOT);
    expect(server.log.received(2).length).toBe(0);
    deaf.close();
  });

  it("drops every second connection", async () => {
    server.faults.add({ on: { command: "connect", every: 2 }, do: { kind: "reset" } });
    const ends: string[] = [];
    for (let i = 0; i < 4; i++) {
      const each = Wire.to(server).send("version\r\n");
      ends.push(await each.until("\r\n"));
      each.close();
    }
    expect(ends.map((end) => end !== "")).toEqual([true, false, true, false]);
  });

  it("speaks before it is spoken to", async () => {
    server.faults.add({
      on: { command: "connect" },
      do: { kind: "before", bytes: "ERROR busy\r\n" },
    });
    const greeted = Wire.to(server);
    expect(await greeted.until("\r\n")).toBe("ERROR busy\r\n");
    greeted.close();
  });

  it("refuses for a time, and keeps who is there", async () => {
    server.faults.add(
      { on: { command: "incr" }, do: { kind: "refuse", ms: 600_000 } },
      { on: { command: "decr" }, do: { kind: "refuse", ms: 50 } },
    );
    expect(await wire.ask("incr n 1\r\n")).toBe("2\r\n");
    expect(await Wire.to(server).ended).toBe("reset");
    expect(await wire.ask("get a\r\n")).toBe(GOT);
    await server.listen();
    expect(await exchange(server.port, "get a\r\n")).toBe(GOT);
    expect(await wire.ask("decr n 1\r\n")).toBe("1\r\n");
    await until(async () => (await exchange(server.port, "get a\r\n")) === GOT);
  });

  it("restarts empty", async () => {
    server.faults.add({ on: { command: "get", times: 1 }, do: { kind: "restart", ms: 0 } });
    expect(await wire.send("get a\r\n").rest()).toBe(GOT);
    await server.listen();
    const back = Wire.to(server);
    expect(await back.ask("get a\r\nset b 0 0 0\r\n\r\ngets b\r\n")).toBe(
      "END\r\nSTORED\r\nVALUE b 0 0 2\r\n\r\nEND\r\n",
    );
    back.close();
  });
});

describe("when a fault strikes", () => {
  const strike = { kind: "answer", bytes: "X\r\n" } as const;
  const rounds = async (count: number) => {
    let answers = "";
    for (let i = 0; i < count; i++) answers += (await wire.ask("mg n\r\n")).trim();
    return answers;
  };

  it.each<[Fault["on"], string]>([
    [{ command: "mg", nth: 2 }, "HDXHDHDHDHD"],
    [{ command: "mg", nth: [1, 4] }, "XHDHDXHDHD"],
    [{ command: "mg", every: 3 }, "HDHDXHDHDX"],
    [{ command: "mg", every: 2, times: 2 }, "HDXHDXHDHD"],
    [{ command: ["mg", "set"], key: "n", times: 1 }, "XHDHDHDHDHD"],
    [{ command: "mg", key: "other" }, "HDHDHDHDHDHD"],
    [{ command: "mg", connection: 2 }, "HDHDHDHDHDHD"],
    [{ command: "mg", connection: [1, 7], times: 1 }, "XHDHDHDHDHD"],
  ])("on %j", async (on, expected) => {
    server.faults.add({ on: on!, do: strike });
    expect(await rounds(6)).toBe(expected);
  });

  it("counts how often it did, and can be taken away", async () => {
    const fault: Fault = { on: { command: "mg" }, do: strike };
    server.faults.add(fault);
    await rounds(3);
    expect(server.faults.hits(fault)).toBe(3);
    expect(JSON.parse(JSON.stringify(server.faults))).toEqual([fault]);
    server.faults.clear();
    expect(await rounds(1)).toBe("HD");
    expect(server.faults.hits(fault)).toBe(0);
  });

  it("waits for an age of the connection by the server's clock", async () => {
    server.faults.add({ on: { command: "mg", age: 60 }, do: strike });
    expect(await rounds(1)).toBe("HD");
    server.clock.advance(60);
    expect(await rounds(1)).toBe("X");
  });

  it.each<[Fault, string]>([
    [{ on: { every: 0 }, do: strike }, "every of a fault cannot be 0"],
    [{ on: { times: -1 }, do: strike }, "times of a fault cannot be -1"],
    [{ on: { nth: "2" as never }, do: strike }, 'nth of a fault cannot be "2"'],
    [{ on: { connection: [1, 0] }, do: strike }, "connection of a fault cannot be an array"],
    [{ on: { command: 5 as never }, do: strike }, "command of a fault cannot be 5"],
    [{ do: { kind: "delay" } as never }, "ms of a delay fault cannot be undefined"],
    [{ do: { kind: "answer" } as never }, "bytes of an answer fault cannot be undefined"],
    [{ do: { kind: "answer", bytes: 5 } as never }, "bytes of an answer fault cannot be 5"],
    [{ do: { kind: "cut", bytes: 3 } as never }, "ending of a cut fault cannot be undefined"],
    [{ do: { kind: "key" } as never }, "key of a key fault cannot be undefined"],
    [{ do: { kind: "stall", ms: 3 } as never }, 'a stall fault has no option "ms"'],
    [{ do: { kind: "cut", bytes: -1, ending: "close" } }, "bytes of a cut fault cannot be -1"],
    [{ do: { kind: "trickle", bytes: 0, ms: 1 } }, "bytes of a trickle fault cannot be 0"],
    [{ do: { kind: "delay", ms: Number.NaN } }, "ms of a delay fault cannot be NaN"],
    [{ on: { keys: "a" } as object, do: strike }, 'has no option "keys"; did you mean "key"?'],
    [{ when: {}, do: strike } as Fault, 'A fault has no option "when"'],
  ])("refuses %j", (fault, message) => {
    expect(() => server.faults.add({ do: strike }, fault)).toThrow(message);
    expect(server.faults.size).toBe(0);
  });
});

describe("a stopped process", () => {
  it("answers nobody, and everybody when it goes on", async () => {
    server.pause();
    wire.send("get a\r\n");
    const late = Wire.to(server).send("get a\r\n");
    await new Promise((resolve) => late.socket.once("connect", resolve));
    expect(wire.received + late.received).toBe("");
    server.resume();
    expect(await wire.until("END\r\n")).toBe(GOT);
    expect(await late.until("END\r\n")).toBe(GOT);
    late.close();
  });

  it("runs after a restart", async () => {
    server.pause();
    await server.restart();
    expect(await exchange(server.port, "get a\r\n")).toBe("END\r\n");
  });
});

describe("the log", () => {
  it("has the bytes of each connection", async () => {
    const other = Wire.to(server);
    await other.ask("get \xff\r\n");
    expect(server.log.received(2).toString("latin1")).toBe("get \xff\r\nmn\r\n");
    expect(server.log.received().length).toBeGreaterThan(server.log.received(2).length);
    server.log.clear();
    expect(server.log.received().length).toBe(0);
    other.close();
  });

  it("has no more bytes in memory than that, though they come a few at a time", () => {
    const pieces = 100_000;
    const log = new Log("bytes");
    const { poolSize } = Buffer;
    Buffer.poolSize = 65536; // as in Node 24: whoever keeps a slice of it keeps it all
    onTestFinished(() => void Object.assign(Buffer, { poolSize }));
    const before = bytesInUse();
    // A socket gives each piece a memory of its own.
    for (let i = 0; i < pieces; i++) log.receive(1, Buffer.from(new ArrayBuffer(30)));
    expect((bytesInUse() - before) / pieces).toBeLessThan(100);
    log.receive(2, Buffer.from("other"));
    log.receive(1, Buffer.from("more"));
    expect(log.received().length).toBe(pieces * 30 + 9);
    expect(log.received(1).length).toBe(pieces * 30 + 4);
  });

  it("keeps half of what it has room for when it is full, whatever the sizes of pieces", () => {
    const log = new Log("bytes");
    for (let i = 0; i < 200; i++) log.receive(i, Buffer.alloc(65536));
    for (let i = 0; i < 1000; i++) log.receive(i, Buffer.alloc(4096, "x"));
    const kept = log.received();
    expect(kept.length).toBeGreaterThan(8_000_000);
    expect(kept.length).toBeLessThan(16 * 1024 * 1024);
    expect(kept.at(-1)).toBe("x".charCodeAt(0));
  });

  it("resolves when a request arrives", async () => {
    const arrived = server.log.next("get", "b");
    wire.send("get a\r\nget a b\r\n");
    expect(await arrived).toMatchObject({ connection: 1, command: "get", keys: ["a", "b"] });
  });

  it("records each request if asked to", async () => {
    await using recording = await MemcachedServer.start({ log: "requests" });
    const client = Wire.to(recording);
    await client.ask("set a 0 0 1\r\nx\r\ngat 5 a b\r\n");
    expect(recording.log.requests.map(({ command, keys }) => [command, ...keys])).toEqual([
      ["connect"],
      ["set", "a"],
      ["gat", "a", "b"],
      ["mn"],
    ]);
    client.close();
  });
});

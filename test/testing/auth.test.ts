import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemcachedServer } from "tslibmc/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Memcached, startMemcached } from "../support/memcached.js";
import { runPython } from "../support/python.js";
import { startSaslMemcached } from "../support/sasl.js";
import { COMPAT, describeAgainst, VERSION } from "./support/counterpart.js";
import { exchange, Wire } from "./support/wire.js";

const USERS = { user: "password", second: "other" };

describeAgainst(`ASCII authentication against memcached ${VERSION}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "auth-"));
  let real: Memcached;
  let embedded: MemcachedServer;

  beforeAll(async () => {
    const file = join(folder, "users");
    writeFileSync(file, "user:password\nsecond:other\n", { mode: 0o644 });
    real = await startMemcached({ args: ["-Y", file] });
    embedded = await MemcachedServer.start({ compat: COMPAT, asciiAuth: USERS });
  });
  afterAll(async () => {
    await real[Symbol.asyncDispose]();
    await embedded.close();
    rmSync(folder, { recursive: true });
  });

  it.each([
    "set x 0 0 13\r\nuser password\r\nget x\r\n",
    "set x 0 0 12\r\nsecond other\r\nset a 0 0 1\r\nx\r\nget a\r\ndelete a\r\n",
    "set x 0 0 13 noreply\r\nuser password\r\nmg x\r\n",
    "set x 0 0 10\r\nuser wrong\r\nset x 0 0 13\r\nuser password\r\nmn\r\n",
    "get x\r\nmn\r\nversion\r\n",
    "ms x 13\r\nuser password\r\n",
    "set x 0 0 4\r\nuser\r\n",
    "set x 0 0 13\r\nuser passwordxx",
    "set x 0 0 z\r\n",
    "set\r\n",
    "  set x 0 0 13\r\nuser password\r\n",
    "setx x 0 0 13\r\nuser password\r\n",
    "get x\r\n\r\n",
    `set x 0 0 ${"9".repeat(30)}\r\n`,
    "set x 0 0 21\r\nuser password surplus\r\nmn\r\n",
    "x".repeat(3000),
  ])("answers %j with the same bytes", async (request) => {
    expect(await exchange(embedded.port, request)).toBe(await exchange(real.port, request));
  });

  it("refuses the binary protocol", async () => {
    const version = "\x80\x0b".padEnd(24, "\0");
    expect(await exchange(embedded.port, version)).toBe(await exchange(real.port, version));
  });
});

describe("ASCII authentication of the newest release", () => {
  it("takes passwords with blanks, and closes on a line that cannot be a set", async () => {
    await using server = await MemcachedServer.start({ asciiAuth: { user: "pass word" } });
    const wire = Wire.to(server).send("set x 0 0 14\r\nuser pass word\r\n");
    expect(await wire.until("\r\n")).toBe("STORED\r\n");
    wire.close();
    expect(await exchange(server.port, "mn\r\n")).toBe("");
    expect(await exchange(server.port, "set x 0 0 20000\r\n")).toBe(
      "CLIENT_ERROR auth token too long\r\n",
    );
  });

  it("can be withdrawn while a client is connected", async () => {
    await using server = await MemcachedServer.start({
      asciiAuth: USERS,
      faults: [{ on: { command: "get", times: 1 }, do: { kind: "deauthenticate" } }],
    });
    const wire = Wire.to(server).send("set x 0 0 13\r\nuser password\r\n");
    expect(await wire.until("\r\n")).toBe("STORED\r\n");
    expect(await wire.send("get a\r\n").until("\r\n")).toBe("END\r\n");
    expect(await wire.send("get a\r\n").until("\r\n")).toBe("CLIENT_ERROR unauthenticated\r\n");
    wire.close();
  });
});

describe("SASL PLAIN", () => {
  const script = `
    import pylibmc
    outcome = []
    for password in input["passwords"]:
        c = pylibmc.Client([input["address"]], binary=True, username="user", password=password)
        try:
            c.set("a", "x")
            outcome.append(c.get("a"))
        except pylibmc.Error as e:
            outcome.append(type(e).__name__)
    output = outcome
  `;

  it("lets pylibmc in with the right password alone", async () => {
    await using server = await MemcachedServer.start({ sasl: USERS });
    const outcome = await runPython(script, {
      address: server.address,
      passwords: ["password", "wrong"],
    });
    expect(outcome).toEqual(["x", expect.stringMatching(/Error|Failure/)]);
    const wire = Wire.to(server);
    expect(await wire.send("stats\r\n".padEnd(24)).rest()).toBe("");
  });

  it("knows no message of PLAIN that memcached does not know", async () => {
    await using real = await startSaslMemcached(["PLAIN"], USERS);
    await using embedded = await MemcachedServer.start({ sasl: USERS });
    const messages = ["", "continue", "user", "\0user", "\0user\0wrong", "\0user\0password"];
    for (const message of messages) {
      const status = await plainStatus(real.server, message);
      expect(await plainStatus(embedded, message), JSON.stringify(message)).toBe(status);
    }
  });
});

/** The status of the answer to a first message of PLAIN. */
async function plainStatus(server: { readonly port: number }, message: string): Promise<number> {
  const header = Buffer.alloc(24);
  header[0] = 0x80;
  header[1] = 0x21;
  header.writeUInt16BE("PLAIN".length, 2);
  header.writeUInt32BE("PLAIN".length + message.length, 8);
  const wire = Wire.to(server);
  const reply = await wire.send(`${header.toString("latin1")}PLAIN${message}`).bytes(24);
  wire.close();
  return Buffer.from(reply, "latin1").readUInt16BE(6);
}

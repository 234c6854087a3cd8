import * as fc from "fast-check";
import { MemcachedServer } from "tslibmc/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Memcached, startMemcached } from "../../support/memcached.js";
import { COMPAT, describeAgainst, VERSION } from "../support/counterpart.js";
import { exchange } from "../support/wire.js";

/** `DIFFERENTIAL_RUNS=2000` is the long form. */
const RUNS = Number(process.env["DIFFERENTIAL_RUNS"] ?? 80);
const SEED = process.env["DIFFERENTIAL_SEED"];

let real: Memcached;
let embedded: MemcachedServer;

beforeAll(async () => {
  // Its background thread would hold on to items now and then, which shows in the replies.
  real = await startMemcached({ args: ["-t", "1", "-o", "no_lru_maintainer"] });
  embedded = await MemcachedServer.start({ compat: COMPAT });
});

afterAll(async () => {
  await real?.[Symbol.asyncDispose]();
  await embedded?.close();
});

interface Shape {
  readonly opcodes: readonly number[];
  readonly extras: readonly number[];
  readonly value: boolean;
}

const ARITHMETIC: Shape = {
  opcodes: [0x05, 0x06, 0x15, 0x16],
  extras: [8, 8, 4],
  value: false,
};

/** How packets of the other kinds look. */
const SHAPES: readonly Shape[] = [
  { opcodes: [0x00, 0x09, 0x0c, 0x0d], extras: [], value: false },
  { opcodes: [0x01, 0x02, 0x03, 0x11, 0x12, 0x13], extras: [4, 4], value: true },
  { opcodes: [0x04, 0x14], extras: [], value: false },
  { opcodes: [0x0e, 0x0f, 0x19, 0x1a], extras: [], value: true },
  { opcodes: [0x1c, 0x1d, 0x1e, 0x23, 0x24], extras: [4], value: false },
];

const key = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom("a", "b", "n", "m") },
  { weight: 1, arbitrary: fc.constantFrom("", "k".repeat(250), "k".repeat(251), "a b\r\n", "\0") },
);
/** Flags and exptimes, none of which runs out while the test runs. */
const word = fc.constantFrom(0n, 1000n, 2592001n, 0xffffffffn);
const number = fc.constantFrom(0n, 1n, 5n, 100n, 1000n, 0xffffffffn, 2n ** 64n - 1n);
const value = fc.constantFrom("", "5", "100", "x", "abc\r\n", " 7", "\0\x80");
const cas = fc.oneof(
  { weight: 8, arbitrary: fc.constant(0n) },
  { weight: 1, arbitrary: fc.constantFrom(1n, 2n ** 64n - 1n) },
);

function packet(
  opcode: number,
  parts: Partial<Record<"key" | "extras" | "value", string>>,
  token = 0n,
  surplus = 0,
): string {
  const { key = "", extras = "", value = "" } = parts;
  const header = Buffer.alloc(24);
  header[0] = 0x80;
  header[1] = opcode;
  header.writeUInt16BE(key.length, 2);
  header[4] = extras.length;
  header.writeUInt32BE(extras.length + key.length + value.length + surplus, 8);
  header.writeUInt32BE(0xcafe0000 + opcode, 12);
  header.writeBigUInt64BE(token, 16);
  return header.toString("latin1") + extras + key + value;
}

function bytesOf(number: bigint, size: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt.asUintN(size * 8, number));
  return bytes.subarray(8 - size).toString("latin1");
}

const keyed = (shapes: readonly Shape[]) =>
  fc.constantFrom(...shapes).chain(({ opcodes, extras, value: hasValue }) =>
    fc
      .record({
        opcode: fc.constantFrom(...opcodes),
        key,
        numbers: fc.tuple(...extras.map((size) => (size === 8 ? number : word))),
        value: hasValue ? value : fc.constant(""),
        cas,
      })
      .map(({ opcode, numbers, cas: token, ...parts }) =>
        packet(
          opcode,
          { ...parts, extras: extras.map((size, i) => bytesOf(numbers[i]!, size)).join("") },
          token,
        ),
      ),
  );

const odd = fc.constantFrom(
  packet(0x0a, {}),
  packet(0x0b, {}),
  packet(0x08, {}),
  packet(0x18, { extras: "\0\0\0\0" }),
  packet(0x07, {}),
  packet(0x17, {}),
  packet(0x0a, { key: "a" }),
  packet(0x00, { key: "a", extras: "\0\0\0\0" }),
  packet(0x01, { key: "a", value: "x" }),
  packet(0x05, { key: "n" }),
  packet(0x1b, { extras: "\0\0\0\0" }),
  packet(0x30, { key: "a" }),
  packet(0x30, { key: "a" }) + packet(0x00, { key: "a" }),
  packet(0xff, {}),
  packet(0x20, {}),
  packet(0x21, { key: "PLAIN", value: "\0user\0password" }),
  packet(0x10, { key: "nosuch" }),
  packet(0x10, { key: "reset" }),
  packet(0x10, { key: "detail on" }),
  packet(0x10, { key: "detail off" }),
  packet(0x10, { key: "detail nosuch" }),
  packet(0x10, { key: "conns" }),
  packet(0x00, { key: "abcd" }, 0n, -3),
  packet(0x01, { key: "a", extras: "\0\0\0\0\0\0\0\0" }, 0n, 5_000_000),
  "get a\r\n",
);

/**
 * What may end a connection stands alone, since replies to what came before it may be
 * lost; and so does arithmetic, which does not pad a number that a reply still holds.
 */
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .array(keyed(SHAPES), { minLength: 1, maxLength: 4 })
      .map((packets) => packets.join("")),
  },
  { weight: 3, arbitrary: keyed([ARITHMETIC]) },
  { weight: 1, arbitrary: odd },
);

describeAgainst(`against memcached ${VERSION}, binary`, () => {
  it("answers random packets, right and wrong, with the same bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 25 }), async (steps) => {
        const sent: string[] = [];
        for (const request of [packet(0x08, {}), ...steps]) {
          sent.push(request);
          const [theirs, ours] = await Promise.all([
            exchange(real.port, request),
            exchange(embedded.port, request),
          ]);
          expect(ours, JSON.stringify(sent)).toBe(theirs);
        }
      }),
      { numRuns: RUNS, ...(SEED === undefined ? {} : { seed: Number(SEED) }) },
    );
  }, 600_000);
});

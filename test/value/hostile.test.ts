import { deflateSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { CodecError } from "../../src/errors.js";
import { type CodecName, createCodec } from "../../src/value/factory.js";
import { FLAG_COMPRESSED, FLAG_JSON, FLAG_PICKLE } from "../../src/value/flags.js";
import { Room } from "../../src/value/room.js";

/** What somebody else who writes to the cache can make of a reader's time and memory. */
const read = (stored: Buffer, flags: number, codec: CodecName = "pylibmc"): unknown =>
  createCodec({ codec }).decode(stored, 0, stored.length, flags, true);
const latin1 = (text: string) => Buffer.from(text, "latin1");

// A pattern that tries all ways to divide the digits takes minutes for so many.
const DIGITS = "1".repeat(200_000);

test.each<[string, CodecName, string, number]>([
  ["a pickled Decimal", "pylibmc", `cdecimal\nDecimal\n(V${DIGITS}x\ntR.`, FLAG_PICKLE],
  ["a pickled float in decimal", "pylibmc", `F${DIGITS}x\n.`, FLAG_PICKLE],
  ["a float of PHP's", "php", `${DIGITS}x`, 2],
])("%s that is none is refused after one look", (_, codec, stored, flags) => {
  expect(() => read(latin1(stored), flags, codec)).toThrow(CodecError);
});

test.each<[string, string]>([
  ["Decimal", "cdecimal\nDecimal\n(V-1.5E+3\ntR."],
  ["Decimal", "cdecimal\nDecimal\n(V1.\ntR."],
  ["Decimal", "cdecimal\nDecimal\n(V.5e1\ntR."],
  ["Decimal", "cdecimal\nDecimal\n(V-Infinity\ntR."],
  ["Decimal", "cdecimal\nDecimal\n(VsNaN123\ntR."],
  ["float", "F-1.5e+3\n."],
  ["float", "F1.\n."],
  ["float", "F.5\n."],
])("a %s such as %j still is one", (_, pickle) => {
  expect(read(latin1(pickle), FLAG_PICKLE)).toBeDefined();
});

const MIB = 1024 * 1024;

const php = (count: number) => Buffer.from(`a:${count}:{${"i:0;a:0:{}".repeat(count)}}`);

function ruby(count: number): Buffer {
  const header = Buffer.from([4, 8, 0x5b, 4, 0, 0, 0, 0]);
  header.writeUInt32LE(count, 4);
  return Buffer.concat([header, Buffer.alloc(2 * count, "[\0")]);
}

const TOO_MUCH = "more than 512 MiB of memory";

test.each<[string, CodecName, Buffer, number]>([
  ["JSON objects", "pylibmc", latin1(`[${"{},".repeat(5 * MIB)}1]`), FLAG_JSON],
  ["JSON lists", "pylibmc", latin1(`[${"[],".repeat(5 * MIB)}1]`), FLAG_JSON],
  ["npm memcached's JSON", "memcached", latin1(`[${"[],".repeat(5 * MIB)}1]`), 2],
])("%s that would fill the memory are refused", (_, codec, stored, flags) => {
  expect(() => read(stored, flags, codec)).toThrow(TOO_MUCH);
});

/**
 * What the reader counts as it goes would take seconds to fill all of the memory: so a part of it,
 * with the same part of a value. A compressed one, below, fills all of it.
 */
const PART = 1 / 64;

test.each<[string, CodecName, Buffer, number]>([
  ["empty sets", "pylibmc", Buffer.alloc(4 * MIB * PART, 0x8f), FLAG_PICKLE],
  ["lists of one", "pylibmc", latin1("]Na".repeat(4 * MIB * PART)), FLAG_PICKLE],
  ["bytes", "pylibmc", Buffer.alloc(10 * MIB * PART, "C\0"), FLAG_PICKLE],
  ["memos", "pylibmc", latin1(`N${"\x94".repeat(16 * MIB * PART)}`), FLAG_PICKLE],
  ["marks", "pylibmc", Buffer.alloc(5 * MIB * PART, "("), FLAG_PICKLE],
  ["PHP's arrays", "php", php(3 * MIB * PART), 4],
  ["Ruby's arrays", "dalli", ruby(4 * MIB * PART), 1],
])("%s that would fill a part of it are refused by that part", (_, codec, stored, flags) => {
  expect(() => read(stored, flags, codec)).not.toThrow(TOO_MUCH);
  const { take } = Room.prototype;
  onTestFinished(() => {
    Room.prototype.take = take;
  });
  Room.prototype.take = function (this: Room, slots: number) {
    take.call(this, slots / PART);
  };
  expect(() => read(stored, flags, codec)).toThrow(TOO_MUCH);
});

test("compressed, it is refused all the same", async () => {
  const stored = deflateSync(Buffer.alloc(16 * MIB, "("));
  expect(stored.length).toBeLessThan(20_000);
  const reading = read(stored, FLAG_PICKLE | FLAG_COMPRESSED);
  await expect(reading).rejects.toThrow(TOO_MUCH);
});

test("brackets inside of JSON's strings are no lists", () => {
  const text = '\\"[{'.repeat(3 * MIB);
  const value = read(latin1(`["${text}",[]]`), FLAG_JSON) as unknown[];
  expect(value).toHaveLength(2);
  expect(value[0]).toHaveLength((3 * text.length) / 4);
});

test("a large value of a million parts is read", () => {
  const numbers = read(latin1(`](${"K\x01".repeat(MIB)}e.`), FLAG_PICKLE) as unknown[];
  expect(numbers).toHaveLength(MIB);
  const rows = read(latin1(`[${'{"a":1},'.repeat(MIB)}1]`), FLAG_JSON) as unknown[];
  expect(rows).toHaveLength(MIB + 1);
});

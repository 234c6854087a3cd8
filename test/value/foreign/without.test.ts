import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CodecError } from "../../../src/errors.js";
import { type CodecName, createCodec } from "../../../src/value/factory.js";

/** What clients wrote for which there is no codec, see `about` in the file. */
const recorded = JSON.parse(
  readFileSync(new URL("../../vectors/values-clients.json", import.meta.url), "utf8"),
) as { items: Record<string, { flags: number; base64: string }> };

const of = (writer: string) =>
  Object.entries(recorded.items).filter(([key]) => key.startsWith(`${writer}-`));

async function read(name: CodecName, { flags, base64 }: { flags: number; base64: string }) {
  const data = Buffer.from(base64, "base64");
  return await createCodec({ codec: name }).decode(data, 0, data.length, flags, false);
}

const LOW_BITS = 255;

test.each([
  ["perl", 10],
  ["fast", 11],
  ["memcache", 14],
] as const)(
  "%s: bare strings are read, and all else is refused, never taken for another",
  async (writer, count) => {
    const items = of(writer);
    expect(items).toHaveLength(count);
    let strings = 0;
    for (const [key, item] of items) {
      if ((item.flags & LOW_BITS) !== 0) {
        for (const name of ["pylibmc", "python-memcached", "php"] as const) {
          await expect(read(name, item), `${key}, ${name}`).rejects.toThrow(CodecError);
        }
        continue;
      }
      strings++;
      const bytes = Buffer.from(item.base64, "base64");
      expect(await read("pylibmc", item), key).toEqual(bytes);
      expect(await read("php", item), key).toEqual(key.endsWith("-bytes") ? bytes : String(bytes));
    }
    expect(strings).toBeGreaterThan(5);
  },
);

test("python-binary-memcached is read as python-memcached, but for text and bytes", async () => {
  const expected: Record<string, unknown> = {
    text: Buffer.from("text"),
    utf8: Buffer.from("héé €"),
    empty: Buffer.alloc(0),
    ascii: "12",
    int: 7,
    negative: -42,
    big: 2n ** 64n,
    float: 1.5,
    true: true,
    none: null,
    list: [1, "a"],
    map: { a: 1 },
    long: Buffer.from("spam ".repeat(1000)),
    longList: new Array(1000).fill("spam"),
  };
  const items = of("bmemcached");
  expect(items).toHaveLength(Object.keys(expected).length + 1);
  for (const [key, item] of items) {
    const name = key.slice("bmemcached-".length);
    const value = read("python-memcached", item);
    if (name === "bytes") await expect(value).rejects.toThrow("not UTF-8");
    else expect(await value, key).toEqual(expected[name]);
  }
});

test("what is flagged as a boolean of PHP's is a number of which 1 is true, or nothing", async () => {
  const boolean = (text: string) =>
    read("php", { flags: 3, base64: Buffer.from(text).toString("base64") });
  expect(await Promise.all(["1", "", "0", "2"].map(boolean))).toEqual([true, false, false, false]);
  for (const other of ["x\u009c", "a:0:{}"]) {
    await expect(boolean(other)).rejects.toThrow("not what its flags say");
  }
});

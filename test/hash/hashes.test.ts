import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type HashName, hashers, hashFunction, hashKey } from "../../src/hash/algorithms.js";

interface Vectors {
  readonly algorithms: Readonly<Record<HashName, { readonly memcached_hash_t: number }>>;
  readonly pylibmc_hashers: Readonly<Record<string, number>>;
  readonly keys: readonly {
    readonly hex: string;
    readonly text: string | null;
    readonly hash: Readonly<Partial<Record<HashName, number>>>;
  }[];
}

const vectors: Vectors = JSON.parse(
  readFileSync(new URL("../vectors/hashes.json", import.meta.url), "utf8"),
);
const names = Object.keys(hashers) as HashName[];

describe("hashes of libmemcached 1.1.4", () => {
  it("are the recorded ones, from bytes and from text", () => {
    let compared = 0;
    for (const { hex, text, hash } of vectors.keys) {
      const bytes = Buffer.from(hex, "hex");
      for (const [name, expected] of Object.entries(hash) as [HashName, number][]) {
        expect(hashKey(name, bytes), `${name} of ${hex}`).toBe(expected);
        if (text !== null) expect(hashKey(name, text), `${name} of ${text}`).toBe(expected);
        compared++;
      }
    }
    expect(compared).toBe(1660);
  });

  it("of text are those of its UTF-8, from the last character of one byte on", () => {
    for (const text of ["\x7f", "\x80", "a\x80", "\xff", "\u0100", "a\u20ac", "\u{1f511}"]) {
      for (const name of names) {
        expect(hashKey(name, text), `${name} of ${JSON.stringify(text)}`).toBe(
          hashKey(name, Buffer.from(text)),
        );
      }
    }
  });

  it("have libmemcached's numbers, and pylibmc's", () => {
    for (const name of names) expect(hashers[name]).toBe(vectors.algorithms[name].memcached_hash_t);
    expect(hashers).toMatchObject(vectors.pylibmc_hashers);
  });
});

/** Computed with the installed libhashkit; hsieh by the upstream function compiled alone. */
const more: Readonly<Record<string, readonly number[]>> = {
  hsieh: [
    0, 2472816263, 1993659431, 1333368947, 2037332752, 3738850110, 3636226060, 3821074029,
    3489929160, 471461527, 3203012475, 4203376956, 1028753578,
  ],
  jenkins: [
    3735928572, 3768813200, 2583187353, 355681275, 3541214983, 1442444624, 4253821186, 1885058256,
    2120131735, 314054204, 934048990, 1261183855, 120043671,
  ],
  fnv1_64: [
    2216829733, 2248259518, 1805727027, 2979073647, 3396394487, 473199127, 4148981457, 3971873300,
    3257986707, 2112060110, 3035330621, 1687779865, 75214961,
  ],
};
const moreKeys = [
  "",
  "a",
  "foo",
  "hello world",
  "key1",
  "apple",
  "beat",
  "carrot",
  "daikon",
  "The quick brown fox jumps over the lazy dog",
  "é",
  "ключ",
  Buffer.from("61626380", "hex"),
];

describe("hashKey", () => {
  it.each(Object.keys(more) as HashName[])("%s of the empty key, text and signed bytes", (name) => {
    expect(moreKeys.map((key) => hashKey(name, key))).toEqual(more[name]);
  });

  it("takes bytes of an array that is a window on a larger one", () => {
    const window = new Uint8Array(Buffer.from("..key1..")).subarray(2, 6);
    expect(hashKey("murmur", window)).toBe(hashKey("murmur", "key1"));
  });

  it("gives a custom function the wire form, and reduces its result to 32 bits", () => {
    const seen: string[] = [];
    const custom = (key: string) => seen.push(key) - 2;
    expect(hashKey(custom, "é")).toBe(4294967295);
    expect(seen).toEqual(["\u00c3\u00a9"]);
  });

  it("refuses a custom function's fraction or NaN", () => {
    expect(() => hashKey(() => 0.5, "k")).toThrow(/returned 0\.5.*integer/);
    expect(() => hashKey(() => Number.NaN, "k")).toThrow(/returned NaN/);
  });

  it("names the hashes when it is given an unknown one", () => {
    expect(() => hashFunction("sha1" as HashName)).toThrow(
      /hash must be .*"md5".*"murmur3" or a function, not "sha1"/,
    );
    expect(() => hashFunction("toString" as HashName)).toThrow(/hash must be/);
  });
});

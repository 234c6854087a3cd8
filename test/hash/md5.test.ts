import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { crc32 } from "../../src/hash/crc.js";
import { md5Words } from "../../src/hash/md5.js";

const opensslWords = (key: string) => {
  const digest = createHash("md5").update(key, "latin1").digest();
  return [0, 4, 8, 12].map((at) => digest.readUInt32LE(at));
};

it("MD5 is OpenSSL's for every length around the block's edges", () => {
  for (let length = 0; length <= 260; length++) {
    const key = "\u00ff0".repeat(130).slice(0, length);
    expect(md5Words(key)).toEqual(opensslWords(key));
  }
});

it("MD5 is OpenSSL's for any bytes", () => {
  const anyBytes = fc.uint8Array({ maxLength: 400 }).map((b) => Buffer.from(b).toString("latin1"));
  fc.assert(
    fc.property(anyBytes, (key) => {
      expect(md5Words(key)).toEqual(opensslWords(key));
    }),
  );
});

it("CRC-32 has the check value of its catalogue", () => {
  expect(crc32("123456789")).toBe(0xcbf43926);
});

import fc from "fast-check";
import { CodecError } from "tslibmc";
import { expect, test } from "vitest";
import { Manifest } from "../../src/client/chunks/manifest.js";

const LIMITS = { size: 256, maxSize: 2 ** 27 };

test("a manifest is read as it was written, and its chunks make the value", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 3000 }),
      fc.nat(0xffffffff),
      fc.integer({ min: 256, max: 4000 }),
      fc.boolean(),
      (bytes, flags, size, asText) => {
        const data = asText ? Buffer.from(bytes).toString("latin1") : bytes;
        const written = Manifest.of({ data, flags }, size);
        const read = Manifest.parse(String(written.encoded.data), LIMITS);
        expect(read).toEqual(written);
        expect(read.flags).toBe(flags);
        const chunks = Array.from({ length: read.count }, (_, i) => read.slice(data, i));
        for (const [i, chunk] of chunks.entries()) expect(chunk).toHaveLength(read.length(i));
        const whole = chunks.map((chunk) => Buffer.from(chunk as string, "latin1"));
        expect(Buffer.concat(whole).equals(Buffer.from(bytes))).toBe(true);
      },
    ),
  );
});

test("what is changed is refused, or says what can be", () => {
  const { data } = Manifest.of({ data: "v".repeat(1000), flags: 16 }, 256).encoded;
  const text = String(data);
  fc.assert(
    fc.property(fc.nat(text.length), fc.nat(3), fc.string({ maxLength: 3 }), (at, cut, put) => {
      const changed = text.slice(0, at) + put + text.slice(at + cut);
      let manifest: Manifest;
      try {
        manifest = Manifest.parse(changed, LIMITS);
      } catch (error) {
        expect(error).toBeInstanceOf(CodecError);
        return;
      }
      const { size, flags, count } = manifest;
      expect(size).toBeGreaterThan(0);
      expect(size).toBeLessThanOrEqual(LIMITS.maxSize);
      expect(flags).toBeLessThanOrEqual(0xffffffff);
      expect(count).toBeLessThanOrEqual(Math.ceil(LIMITS.maxSize / 256));
    }),
  );
});

test("keys are at most 186 bytes, which base64 makes 248, and none occurs twice", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 250 }),
      fc.nat(2 ** 19),
      (key, index) => {
        const a = Manifest.of({ data: "v", flags: 0 }, 256);
        const b = Manifest.of({ data: "v", flags: 0 }, 256);
        const keys = new Set([a, b].flatMap((m) => [m.key(key, index), m.key(key, index + 1)]));
        expect(keys.size).toBe(4);
        for (const each of keys) expect(each.length).toBeLessThanOrEqual(186);
      },
    ),
  );
});

import fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import { Frames, framed, frameId } from "../../src/connection/frame.js";

/** A reply in datagrams as memcached sends it. */
function datagramsOf(reply: Buffer, size: number): Buffer[] {
  const count = Math.max(1, Math.ceil(reply.length / size));
  return Array.from({ length: count }, (_, place) => {
    const header = Buffer.alloc(8);
    header.writeUInt16BE(7, 0);
    header.writeUInt16BE(place, 2);
    header.writeUInt16BE(count, 4);
    return Buffer.concat([header, reply.subarray(place * size, (place + 1) * size)]);
  });
}

test("a request is one datagram of one, whatever its memory held before", () => {
  vi.spyOn(Buffer, "allocUnsafe").mockImplementation((size) => Buffer.alloc(size, 0xff));
  onTestFinished(() => void vi.restoreAllMocks());
  expect(framed(0x0102, "get é\r\n")).toEqual(
    Buffer.from(`010200000001${"0000"}67657420e90d0a`, "hex"),
  );
});

test("a reply is whole with its last datagram, in whatever order and however often they come", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.nat(), { minLength: 1, maxLength: 30 }),
      fc.infiniteStream(fc.nat(1000)),
      (bytes, size, repeats, order) => {
        const reply = Buffer.from(bytes);
        const datagrams = datagramsOf(reply, size);
        const arriving = [...datagrams, ...repeats.map((n) => datagrams[n % datagrams.length]!)]
          .map((datagram) => ({ datagram, at: order.next().value as number }))
          .sort((one, other) => one.at - other.at);
        const frames = new Frames();
        const wholes = arriving
          .map(({ datagram }) => frames.add(datagram))
          .filter((whole) => whole !== undefined);
        expect(wholes).toEqual([reply]);
      },
    ),
  );
});

test("what does not belong to a reply is not taken", () => {
  const [first, second] = datagramsOf(Buffer.from("ab"), 1);
  const frames = new Frames();
  expect(frames.add(first!)).toBeUndefined();
  const outside = Buffer.from(second!);
  outside.writeUInt16BE(2, 2);
  expect(frames.add(outside)).toBeUndefined();
  const other = Buffer.from(second!);
  other.writeUInt16BE(3, 4);
  expect(frames.add(other)).toBeUndefined();
  expect(frames.add(second!)).toEqual(Buffer.from("ab"));
});

test("datagrams that are announced take no memory", () => {
  const announcing = Buffer.from("00070000ffff0000", "hex");
  const before = process.memoryUsage().heapUsed;
  const all = Array.from({ length: 500 }, () => {
    const frames = new Frames();
    expect(frames.add(announcing)).toBeUndefined();
    return frames;
  });
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024);
  expect(all).toHaveLength(500);
});

test("less than a header is no frame", () => {
  expect(frameId(Buffer.alloc(7))).toBe(-1);
  expect(frameId(framed(513, ""))).toBe(513);
});

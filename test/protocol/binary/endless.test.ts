import { describe, expect, test } from "vitest";
import { statsRequest } from "../../../src/commands/admin.js";
import { deleteRequest } from "../../../src/commands/deletion.js";
import { getRequest, manyRequest } from "../../../src/commands/retrieval.js";
import { setRequest } from "../../../src/commands/storage.js";
import { ProtocolError } from "../../../src/errors.js";
import { type Request, VERSION_REQUEST } from "../../../src/protocol/request.js";
import { Exchanges, packet } from "./exchanges.js";

/** The header alone of a packet whose body is announced, and never comes. */
function announcing(bytes: number, opcode: number, status: number): Buffer {
  const header = packet({ opcode, status });
  header.writeUInt32BE(bytes, 8);
  return header;
}

function sent(request: Request): Exchanges {
  const exchanges = new Exchanges();
  exchanges.write(request);
  return exchanges;
}

const MiB = 1024 * 1024;

test("statistics without an end are refused at 16 MiB, as over the text protocol", () => {
  const exchanges = sent(statsRequest(undefined));
  const some = (from: number) =>
    Buffer.concat(
      Array.from({ length: 1000 }, (_, i) =>
        packet({ opcode: 0x10, key: `${from + i}`, value: "v".repeat(1000) }),
      ),
    );
  let count = 0;
  expect(() => {
    for (; count < 20_000; count += 1000) exchanges.push(some(count));
  }).toThrow(new ProtocolError(`The answer to stats is over ${16 * MiB} bytes`));
  expect(count).toBe(16_000);
});

test("what one answer to stats said does not count for the next", () => {
  const exchanges = new Exchanges();
  for (let opaque = 0; opaque < 5; opaque++) {
    exchanges.write(statsRequest("detail dump"));
    exchanges.push(packet({ opcode: 0x10, opaque, key: "detailed", value: "p".repeat(15 * MiB) }));
    exchanges.push(packet({ opcode: 0x10, opaque }));
  }
  expect(exchanges.answers).toHaveLength(5);
});

const set = setRequest("set", "k", "v", 0, 0, undefined, false);

describe("a body that is longer than there are words for is refused at its header", () => {
  test.each<[string, Request, number, number]>([
    ["a refused get", getRequest("k"), 0x0c, 0x85],
    ["a refused get of many keys", manyRequest(["k", "l"], false), 0x0d, 0x85],
    ["a refused set", set, 0x01, 0x03],
    ["a set", set, 0x01, 0],
    ["a delete", deleteRequest("k", false), 0x04, 0],
    ["a version", VERSION_REQUEST, 0x0b, 0],
    ["refused statistics", statsRequest(undefined), 0x10, 0x85],
  ])("%s", (_, request, opcode, status) => {
    expect(() => sent(request).push(announcing(8193, opcode, status))).toThrow(ProtocolError);
    const exchanges = sent(request);
    exchanges.push(announcing(8192, opcode, status));
    expect(exchanges.answers).toEqual([]);
  });

  test("a failure of a silent request", () => {
    const silent = setRequest("set", "k", "v", 0, 0, undefined, true);
    expect(() => sent(silent).push(announcing(8193, 0x11, 0x03))).toThrow(ProtocolError);
    expect(() => sent(silent).push(announcing(8192, 0x11, 0x03))).not.toThrow();
  });

  test("statistics", () => {
    expect(() => sent(statsRequest(undefined)).push(announcing(16 * MiB + 1, 0x10, 0))).toThrow(
      ProtocolError,
    );
    expect(() => sent(statsRequest(undefined)).push(announcing(16 * MiB, 0x10, 0))).not.toThrow();
  });

  test("but not a value, of which a server may hold one of 1,024 MiB", () => {
    expect(() => sent(getRequest("k")).push(announcing(1024 * MiB, 0x0c, 0))).not.toThrow();
    expect(() => sent(getRequest("k")).push(announcing(1025 * MiB, 0x0c, 0))).toThrow(
      ProtocolError,
    );
  });
});

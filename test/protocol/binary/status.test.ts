import { describe, expect, test } from "vitest";
import { statsRequest } from "../../../src/commands/admin.js";
import { arithmeticRequest } from "../../../src/commands/arithmetic.js";
import { deleteRequest } from "../../../src/commands/deletion.js";
import {
  getAndTouchRequest,
  getRequest,
  hasRequest,
  touchRequest,
} from "../../../src/commands/retrieval.js";
import { setRequest } from "../../../src/commands/storage.js";
import { ProtocolError } from "../../../src/errors.js";
import { type Request, type SetMode, VERSION_REQUEST } from "../../../src/protocol/request.js";
import { answerTo, Exchanges, type Packet, packet, uint32 } from "./exchanges.js";

const set = (mode: SetMode, cas?: bigint): Request => setRequest(mode, "k", "v", 0, 0, cas, false);

describe("every status means what the text protocol says for the same", () => {
  const notFound = { status: 1, value: "Not found" };
  const exists = { status: 2, value: "Data exists for key." };
  const notStored = { status: 5, value: "Not stored." };
  const cases: [string, Request, Packet, string][] = [
    ["get of a missing key", getRequest("k"), { opcode: 0x0c, status: 1, key: "k" }, "miss"],
    ["has of a missing key", hasRequest("k"), { opcode: 0x0c, status: 1, key: "k" }, "miss"],
    [
      "get and touch, missing",
      getAndTouchRequest("k", true, 1),
      { opcode: 0x1d, ...notFound },
      "miss",
    ],
    ["touch, missing", touchRequest("k", 1, false), { opcode: 0x1c, ...notFound }, "notFound"],
    ["touch", touchRequest("k", 1, false), { opcode: 0x1c, extras: uint32(0) }, "ok"],
    ["set", set("set"), { opcode: 0x01 }, "stored"],
    ["add of a present key", set("add"), { opcode: 0x02, ...exists }, "notStored"],
    ["replace of a missing key", set("replace"), { opcode: 0x03, ...notFound }, "notStored"],
    ["append to a missing key", set("append"), { opcode: 0x0e, ...notStored }, "notStored"],
    ["prepend to a missing key", set("prepend"), { opcode: 0x0f, ...notStored }, "notStored"],
    ["cas that differs", set("set", 5n), { opcode: 0x03, ...exists }, "exists"],
    ["cas of a missing key", set("set", 5n), { opcode: 0x03, ...notFound }, "notFound"],
    ["delete", deleteRequest("k", false), { opcode: 0x04 }, "ok"],
    [
      "delete of a missing key",
      deleteRequest("k", false),
      { opcode: 0x04, ...notFound },
      "notFound",
    ],
    [
      "delete with a cas that differs",
      deleteRequest("k", false),
      { opcode: 0x04, ...exists },
      "exists",
    ],
    [
      "incr with a cas that differs",
      arithmeticRequest("incr", "k", 1, undefined, 0, false),
      { opcode: 0x05, ...exists },
      "exists",
    ],
    [
      "incr of a missing key that could not be made",
      arithmeticRequest("incr", "k", 1, 0, 0, false),
      { opcode: 0x05, ...notStored },
      "notStored",
    ],
    [
      "incr of a missing key",
      arithmeticRequest("incr", "k", 1, undefined, 0, false),
      { opcode: 0x05, ...notFound },
      "notFound",
    ],
  ];
  test.each(cases)("%s", (_name, request, reply, kind) => {
    expect(answerTo(request, reply).reply).toEqual({ kind, info: undefined });
  });

  const refusals: [number, string, string][] = [
    [0x03, "Too large.", "tooLarge"],
    [0x04, "Invalid arguments", "clientError"],
    [0x06, "Non-numeric server-side value for incr or decr", "clientError"],
    [0x20, "Auth failure.", "auth"],
    [0x82, "Out of memory", "serverError"],
    [0x86, "", "serverError"],
  ];
  test.each(refusals)("status 0x%s %s", (status, value, reason) => {
    const request = arithmeticRequest("incr", "k", 1, undefined, 0, false);
    const { reply } = answerTo(request, { opcode: 0x05, status, value });
    const text = value === "" ? `status 0x${status.toString(16)}` : value;
    expect(reply).toEqual({ kind: "refused", reason, text });
  });

  test.each<[string, Request, Packet]>([
    ["data that exists, to a get", getRequest("k"), { opcode: 0x0c, ...exists }],
    ["data that exists, to statistics", statsRequest(undefined), { opcode: 0x10, ...exists }],
    ["what is not stored, to a get", getRequest("k"), { opcode: 0x0c, ...notStored }],
    ["what is not stored, to a delete", deleteRequest("k", false), { opcode: 0x04, ...notStored }],
  ])("%s, is no answer but a refusal", (_name, request, reply) => {
    expect(answerTo(request, reply).reply).toMatchObject({
      kind: "refused",
      reason: "serverError",
      text: reply.value,
    });
  });

  test("statistics that memcached does not know are an unknown command", () => {
    const request = statsRequest("nonsense");
    const { reply } = answerTo(request, { opcode: 0x10, ...notFound });
    expect(reply).toMatchObject({ reason: "unknownCommand" });
  });

  test("after an unknown opcode nothing is trusted, since memcached loses what is behind it", () => {
    const exchanges = new Exchanges();
    exchanges.write(touchRequest("k", 1, false), VERSION_REQUEST);
    const reply = packet({ opcode: 0x1c, status: 0x81, value: "Unknown command" });
    expect(() => exchanges.push(reply)).toThrow(ProtocolError);
    expect(exchanges.answers[0]?.reply).toMatchObject({ reason: "unknownCommand" });
  });
});

import { describe, expect, test } from "vitest";
import type { Request } from "../../../src/protocol/request.js";
import { TextWire } from "../../../src/protocol/text/wire.js";
import { Exchanges, end, get, getMany, item, version } from "./exchanges.js";

describe("an error in the reply to a line of several gets", () => {
  const busy = "serverError: SERVER_ERROR busy";
  const error = "VALUE a 0 1\r\n1\r\nSERVER_ERROR busy\r\n";

  test("answers all of them, and nobody behind them, where it is the last line", () => {
    const exchanges = new Exchanges(new TextWire("last"));
    exchanges.write(get("a"), get("b"), version, getMany(["a", "b"]), get("c"));
    exchanges.read(`${error}VERSION 1\r\n${error}END\r\n`);
    expect(exchanges.outcomes).toEqual([
      { items: [item("1")], end: busy },
      end(busy),
      end("1"),
      { items: [item("1")], end: busy },
      end("miss"),
    ]);
  });

  test("ends with END where it is one key's, and nobody has a miss", () => {
    const exchanges = new Exchanges(new TextWire("within"));
    exchanges.write(get("a"), get("b"), get("c"), getMany(["a", "b", "c"]), get("d"), version);
    const more = "VALUE c 0 1\r\n3\r\nSERVER_ERROR late\r\nEND\r\n";
    const bytes = `${error}${more}${error}${more}SERVER_ERROR busy\r\nVERSION 1\r\n`;
    exchanges.read(bytes, ...Array.from(bytes, (_, i) => i));
    expect(exchanges.outcomes).toEqual([
      { items: [item("1")], end: busy },
      end(busy),
      { items: [item("3")], end: busy },
      { items: [item("1"), item("3", { index: 2 })], end: busy },
      end(busy),
      end("1"),
    ]);
  });

  test("does not concern the line behind it", () => {
    const exchanges = new Exchanges(new TextWire("within"));
    exchanges.write(getMany(["a", "b"]), getMany(["a", "b"]));
    exchanges.read(`${error}END\r\nEND\r\n`);
    expect(exchanges.outcomes.map(({ end }) => end)).toEqual([busy, "miss"]);
  });

  test.each([
    ["neighbours", [get("a"), get("b")]],
    ["many keys", [getMany(["a", "b"])]],
  ])("ends the connection where nobody has told: %s", (_, requests) => {
    const exchanges = new Exchanges();
    exchanges.write(...requests, getMany(["c", "d"]));
    expect(() => exchanges.read(`${error}END\r\n`)).toThrow(/set proxy/);
    const ends = exchanges.outcomes.map(({ end }) => end);
    expect(ends).toEqual([...requests.map(() => busy), undefined]);
  });
});

describe("ERROR as the first line of a connection", () => {
  const refused = (request: Request, ...cuts: number[]) => {
    const exchanges = new Exchanges();
    exchanges.write(request, request);
    expect(() => exchanges.read("ERROR\r\nEND\r\n", ...cuts)).toThrow(/PROXY protocol/);
    return exchanges.outcomes.map(({ end }) => end);
  };

  test.each([
    ["get", getMany(["a"]), "unknownCommand: ERROR"],
    ["mg", get("a", { touch: 1 }), "notSupported: ERROR"],
    ["version", version, "unknownCommand: ERROR"],
  ])("may be about other bytes than ours: %s", (_, request, error) => {
    expect(refused(request)).toEqual([error, undefined]);
    expect(refused(request, 2, 6)).toEqual([error, undefined]);
  });

  test("and as a later one it is about ours", () => {
    const exchanges = new Exchanges();
    exchanges.write(getMany(["a"]), version, version);
    exchanges.read("END\r\nERROR\r\nVERSION 1\r\n");
    expect(exchanges.outcomes.map(({ end }) => end)).toEqual([
      "miss",
      "unknownCommand: ERROR",
      "1",
    ]);
  });
});

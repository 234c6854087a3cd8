import { ProtocolError } from "tslibmc";
import { expect, test } from "vitest";
import { Exchanges, get } from "../protocol/text/exchanges.js";
import { GARBAGE } from "./faultproxy.js";

test("garbage makes no other value of one, wherever it comes", () => {
  for (let size = 0; size <= 240; size++) {
    const value = "v".repeat(size);
    const reply = `VALUE k 0 ${size}\r\n${value}\r\nEND\r\n`;
    for (let at = 0; at < reply.length; at++) {
      const exchanges = new Exchanges();
      exchanges.write(get("k"));
      const read = () => exchanges.read(reply.slice(0, at) + GARBAGE + reply.slice(at));
      expect(read).toThrow(ProtocolError);
      const items = exchanges.outcomes.flatMap(({ items }) => items);
      expect(items.filter(({ data }) => data !== value)).toEqual([]);
    }
  }
});

import { NativeCodec } from "../../src/value/native.js";
import { rowFor, textFor } from "../load/data.js";
import type { Step } from "./step.js";

/** Values to data and back. */
export function value(): Step[] {
  const json = new NativeCodec();
  const pickle = new NativeCodec({ serializer: "pickle" });
  const row = rowFor("row", 1024);
  return [
    ...bothWays("100 B of ASCII", json, textFor("text", 100)),
    ...bothWays("100 B of text with an é", json, `é${textFor("text", 98)}`),
    ...bothWays("10 KB of ASCII", json, textFor("text", 10_240)),
    ...bothWays("100 bytes", json, Buffer.from(textFor("bytes", 100))),
    ...bothWays("an integer", json, 1_234_567),
    ...bothWays("an object as 1 KB of JSON", json, row),
    ...bothWays("the same as a pickle", pickle, row),
    { name: "JSON alone, to and from 1 KB", run: () => JSON.parse(JSON.stringify(row)) },
  ];
}

function bothWays(name: string, codec: NativeCodec, value: unknown): Step[] {
  const { data, flags } = codec.encode(value);
  const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : Buffer.from(data);
  return [
    { name: `${name}, encoded`, run: () => codec.encode(value) },
    { name: `${name}, decoded`, run: () => codec.decode(bytes, 0, bytes.length, flags, false) },
  ];
}

import { deepStrictEqual } from "node:assert";
import { deserialize, serialize } from "node:v8";
import type { Codec } from "../../src/value/codec.js";
import { NativeCodec } from "../../src/value/native.js";
import { RawCodec } from "../../src/value/raw.js";
import { rowFor, textFor } from "../load/data.js";
import { load } from "../peers/peer.js";
import type { Step } from "./step.js";

interface Msgpackr {
  pack(value: unknown): Buffer;
  unpack(data: Buffer): unknown;
}

/** Values to data and back: each serializer, and what it would cost without a codec around it. */
export async function value(): Promise<Step[]> {
  const json = new NativeCodec();
  const pickle = new NativeCodec({ serializer: "pickle" });
  const clone = new NativeCodec({ serializer: "v8" });
  const { pack, unpack } = await load<Msgpackr>("msgpackr");
  const bytes = Buffer.from(textFor("bytes", 100));
  const row = rowFor("row", 1024);
  return [
    ...bothWays("100 B of ASCII", json, textFor("text", 100)),
    ...bothWays("100 B of text with an é", json, `é${textFor("text", 98)}`),
    ...bothWays("10 KB of ASCII", json, textFor("text", 10_240)),
    ...bothWays("100 bytes", json, bytes),
    ...bothWays("100 bytes, raw", new RawCodec(), bytes),
    ...bothWays("an integer", json, 1_234_567),
    ...bothWays("a bigint", json, 2n ** 64n),
    ...bothWays("a boolean", json, true),
    ...bothWays("an object as 1 KB of JSON", json, row),
    ...bothWays("the same as a pickle", pickle, row),
    ...bothWays("the same as a structured clone", clone, row),
    ...alone("JSON alone, text", row, JSON.stringify, JSON.parse),
    ...alone(
      "JSON alone, bytes",
      row,
      (object) => Buffer.from(JSON.stringify(object)),
      (data) => JSON.parse(data.toString()),
    ),
    ...alone("node:v8 alone", row, serialize, deserialize),
    ...alone("msgpackr", row, pack, unpack),
  ];
}

function bothWays(name: string, codec: Codec, value: unknown): Step[] {
  const encoded = codec.encode(value, undefined);
  if (encoded instanceof Promise) throw new Error(`${name} is encoded on another thread`);
  const { data, flags } = encoded;
  const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : Buffer.from(data);
  const decode = () => codec.decode(bytes, 0, bytes.length, flags, false);
  deepStrictEqual(decode(), value);
  return [
    { name: `${name}, encoded`, run: () => codec.encode(value, undefined) },
    { name: `${name}, decoded`, run: decode },
  ];
}

function alone<Value, Data>(
  name: string,
  value: Value,
  encode: (value: Value) => Data,
  decode: (data: Data) => unknown,
): Step[] {
  const data = encode(value);
  deepStrictEqual(decode(data), value);
  return [
    { name: `${name}, encoded`, run: () => encode(value) },
    { name: `${name}, decoded`, run: () => decode(data) },
  ];
}

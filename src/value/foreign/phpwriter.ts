import { CodecError } from "../../errors.js";
import { builtin } from "../../util/builtin.js";
import { isUint8Array } from "../../util/bytes.js";
import { tagOf } from "../plain.js";
import { encodeText } from "../text.js";
import { checkValueDepth } from "./depth.js";

const util = builtin("node:util");

/**
 * A value as PHP's `serialize()` writes it: arrays, plain objects and Maps are arrays there.
 * @throws CodecError for what PHP's arrays and scalars cannot hold
 */
export function serializePhp(value: unknown): Buffer {
  const parts: Uint8Array[] = [];
  writePhp(value, parts, 0);
  return Buffer.concat(parts);
}

function writePhp(value: unknown, parts: Uint8Array[], depth: number): void {
  checkValueDepth(depth);
  const scalar = scalarOf(value);
  if (scalar !== undefined) {
    parts.push(Buffer.from(scalar, "latin1"));
  } else if (typeof value === "string") {
    pushString(Buffer.from(encodeText(value)), parts);
  } else if (isUint8Array(value)) {
    pushString(value, parts);
  } else {
    const entries = entriesOf(value);
    parts.push(Buffer.from(`a:${entries.length}:{`));
    for (const [key, item] of entries) {
      writePhp(key, parts, depth + 1);
      writePhp(item, parts, depth + 1);
    }
    parts.push(Buffer.from("}"));
  }
}

function pushString(bytes: Uint8Array, parts: Uint8Array[]): void {
  parts.push(Buffer.from(`s:${bytes.length}:"`), bytes, Buffer.from('";'));
}

function scalarOf(value: unknown): string | undefined {
  switch (typeof value) {
    case "boolean":
      return value ? "b:1;" : "b:0;";
    case "number":
      if (Number.isSafeInteger(value) && !Object.is(value, -0)) return `i:${value};`;
      return `d:${phpFloat(value)};`;
    case "bigint":
      return `i:${phpInteger(value)};`;
    default:
      return value === null ? "N;" : undefined;
  }
}

/** @throws CodecError past the 64 bits of PHP's integers */
export function phpInteger(value: bigint): string {
  if (BigInt.asIntN(64, value) !== value) {
    throw new CodecError("A bigint is past the 64 bits that an integer has in PHP");
  }
  return String(value);
}

function phpFloat(value: number): string {
  if (Number.isNaN(value)) return "NAN";
  if (!Number.isFinite(value)) return value > 0 ? "INF" : "-INF";
  return Object.is(value, -0) ? "-0" : String(value);
}

function entriesOf(value: unknown): readonly (readonly [unknown, unknown])[] {
  if (Array.isArray(value)) return [...value.entries()];
  if (util().types.isMap(value)) {
    for (const key of value.keys()) {
      if (typeof key !== "string" && !Number.isSafeInteger(key)) {
        throw new CodecError("A key in a PHP array must be a string or an integer");
      }
    }
    return [...value];
  }
  if (typeof value === "object" && tagOf(value) === "Object") {
    return Object.entries(value as object);
  }
  throw new CodecError(`A value of type ${tagOf(value)} has no meaning in PHP`);
}

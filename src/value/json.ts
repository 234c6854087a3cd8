import { CodecError, messageOf } from "../errors.js";
import { shorten, withArticle } from "../util/show.js";
import { isPlainObject, tagOf } from "./plain.js";
import { checkJsonRoom } from "./room.js";
import { decodeText } from "./text.js";

/**
 * A value as JSON.
 * @throws CodecError where what would be read back is not what was given
 */
export function encodeJson(value: unknown): string {
  let text: string | undefined;
  let loss: string | undefined;
  try {
    text = JSON.stringify(value);
    if (text !== undefined && hasLossMark(text) && mayLose(value)) loss = findLoss(value);
  } catch (cause) {
    throw new CodecError(describeFailure(value, cause), { cause });
  }
  if (loss !== undefined) throw new CodecError(loss);
  if (text === undefined) throw new CodecError(`JSON has no words for a ${typeof value}`);
  return text;
}

/**
 * Whether JSON text has a mark of what it may have lost without a word: `null` for NaN or a
 * hole, `{}` for a Map or a RegExp, an object of indexes for a typed array. Only such a text
 * pays for the search for what made it. Three searches take half as long as one for a pattern.
 */
function hasLossMark(text: string): boolean {
  return text.includes("null") || text.includes("{}") || text.includes('{"0":');
}

/**
 * Whether JSON may lose something of a value that it could write: a quick look that
 * knows numbers, arrays and plain objects, and leaves all else to the search.
 */
function mayLose(value: unknown): boolean {
  if (typeof value === "number") return !Number.isFinite(value);
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) {
    for (const item of value) {
      if (item === undefined || typeof item === "function" || typeof item === "symbol") return true;
      if (mayLose(item)) return true;
    }
    return false;
  }
  if (!isPlainObject(value) || typeof value["toJSON"] === "function") return true;
  for (const name in value) if (mayLose(value[name])) return true;
  return false;
}

/** The value of a JSON text in UTF-8. */
export function decodeJson(bytes: Buffer, start: number, end: number): unknown {
  checkJsonRoom(bytes, start, end);
  const text = decodeText(bytes, start, end);
  try {
    return JSON.parse(text);
  } catch {
    // What JSON.parse says of it quotes the value, which is not for a log.
    throw new CodecError("The item is flagged as JSON, but is not");
  }
}

function describeFailure(value: unknown, cause: unknown): string {
  try {
    const loss = findLoss(value);
    if (loss !== undefined) return loss;
  } catch {
    // The search failed as the serialization did: its reason is the cause.
  }
  return `The value cannot be written as JSON: ${messageOf(cause)}`;
}

const AWAIT = "; await it first";
const CONVERT = ', which JSON cannot hold; use serializer "pickle" or "v8", or convert it';

interface Step {
  /** The item itself: the holder of the next step. */
  readonly item: unknown;
  readonly name: string;
}

/** The first thing in `value` that JSON cannot hold, in words, with the path to it. */
function findLoss(value: unknown): string | undefined {
  const path: Step[] = [];
  let loss: string | undefined;
  JSON.stringify(value, function (this: Record<string, unknown>, name: string, item: unknown) {
    if (loss !== undefined) return undefined;
    while (path.length > 0 && path.at(-1)!.item !== this) path.pop();
    const isCycle =
      typeof item === "object" && item !== null && path.some((step) => step.item === item);
    const why = isCycle ? "is a cycle" : whyLost(this, name, item);
    path.push({ item, name });
    if (why === undefined) return item;
    loss = `${describePath(path)} ${why}${tagOf(item) === "Promise" ? AWAIT : CONVERT}`;
    return undefined;
  });
  return loss;
}

/** Why an item would not be read back as it is; a property that is undefined is merely left out. */
function whyLost(holder: Record<string, unknown>, name: string, item: unknown): string | undefined {
  switch (typeof item) {
    case "bigint":
      return "is a bigint";
    case "number":
      return Number.isFinite(item) ? undefined : `is ${item}`;
    case "undefined":
    case "function":
    case "symbol":
      return Array.isArray(holder)
        ? `is ${item === undefined ? item : `a ${typeof item}`}`
        : undefined;
    case "object":
      if (item === null) {
        const original = holder[name];
        return original instanceof Date ? "is an invalid Date" : undefined;
      }
      return whyObjectLost(item);
    default:
      return undefined;
  }
}

function whyObjectLost(item: object): string | undefined {
  const tag = tagOf(item);
  if (ArrayBuffer.isView(item)) return `is ${withArticle(tag)}`;
  switch (tag) {
    case "Map":
    case "Set":
    case "WeakMap":
    case "WeakSet":
    case "RegExp":
    case "Error":
    case "Promise":
    case "ArrayBuffer":
    case "SharedArrayBuffer":
      return `is ${withArticle(tag)}`;
    default:
      return undefined;
  }
}

/** `value.users[3].name`: the first step is the value itself. */
function describePath(path: readonly Step[]): string {
  let text = "value";
  for (let i = 1; i < path.length; i++) {
    const { name } = path[i]!;
    if (Array.isArray(path[i - 1]!.item)) text += `[${name}]`;
    else text += /^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
  }
  return shorten(text, 200);
}

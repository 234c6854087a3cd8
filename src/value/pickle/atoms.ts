import { CodecError } from "../../errors.js";
import { strictUtf8 } from "../../util/bytes.js";
import { isDecimal } from "../decimal.js";
import { exactInteger } from "../integer.js";
import { broken } from "./broken.js";
import type { Instruction, PickleMachine } from "./machine.js";
import { Op } from "./opcodes.js";

/** The instructions that push a value from the bytes that follow them. */
export const ATOMS: ReadonlyMap<number, Instruction> = new Map<number, Instruction>([
  [Op.none, (m) => m.push(null)],
  [Op.newTrue, (m) => m.push(true)],
  [Op.newFalse, (m) => m.push(false)],
  [Op.int, (m) => m.push(integerLine(m.input.line()))],
  [Op.long, (m) => m.push(decimal(m.input.line().replace(/L$/, "")))],
  [Op.binInt, (m) => m.push(m.input.int32())],
  [Op.binInt1, (m) => m.push(m.input.uint8())],
  [Op.binInt2, (m) => m.push(m.input.uint16())],
  [Op.long1, (m) => m.push(exactInteger(m.input.integer(m.input.uint8())))],
  [Op.long4, (m) => m.push(exactInteger(m.input.integer(m.input.uint32())))],
  [Op.float, (m) => m.push(floatLine(m.input.line()))],
  [Op.binFloat, (m) => m.push(m.input.float64())],
  [Op.unicode, (m) => m.push(unescapeUnicode(m.input.line()))],
  [Op.binUnicode, (m) => m.push(m.input.text(m.input.uint32()))],
  [Op.shortBinUnicode, (m) => m.push(m.input.text(m.input.uint8()))],
  [Op.binUnicode8, (m) => m.push(m.input.text(m.input.size64()))],
  [Op.string, (m) => m.push(python2String(unquote(m.input.line())))],
  [Op.binString, (m) => m.push(python2String(m.input.bytes(m.input.uint32())))],
  [Op.shortBinString, (m) => m.push(python2String(m.input.bytes(m.input.uint8())))],
  [Op.binBytes, (m) => pushBytes(m, m.input.uint32())],
  [Op.shortBinBytes, (m) => pushBytes(m, m.input.uint8())],
  [Op.binBytes8, (m) => pushBytes(m, m.input.size64())],
  [Op.byteArray8, (m) => pushBytes(m, m.input.size64())],
]);

function pushBytes(machine: PickleMachine, size: number): void {
  machine.push(machine.input.bytes(size));
}

/** Protocol 0 writes booleans as integers of two digits. */
function integerLine(line: string): number | bigint | boolean {
  if (line === "00") return false;
  if (line === "01") return true;
  return decimal(line);
}

function decimal(line: string): number | bigint {
  if (!/^[+-]?\d{1,4300}$/.test(line)) throw broken("an integer is malformed");
  return exactInteger(BigInt(line.replace(/^\+/, "")));
}

const SPECIAL_FLOATS: ReadonlyMap<string, number> = new Map([
  ["inf", Number.POSITIVE_INFINITY],
  ["-inf", Number.NEGATIVE_INFINITY],
  ["nan", Number.NaN],
  ["-nan", Number.NaN],
]);

function floatLine(line: string): number {
  const special = SPECIAL_FLOATS.get(line);
  if (special !== undefined) return special;
  if (!isDecimal(line)) throw broken("a float is malformed");
  return Number(line);
}

/** Python's raw-unicode-escape: latin1 with `\uXXXX` and `\UXXXXXXXX`. */
function unescapeUnicode(line: string): string {
  if (!line.includes("\\")) return line;
  return line.replace(
    /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|\\)/g,
    (escaped, unit: string | undefined, point: string | undefined) => {
      if (unit !== undefined) return String.fromCharCode(Number.parseInt(unit, 16));
      if (point === undefined) return escaped;
      const code = Number.parseInt(point, 16);
      if (code > 0x10ffff) throw broken("a string has a character past the end of Unicode");
      return String.fromCodePoint(code);
    },
  );
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["a", "\x07"],
  ["b", "\b"],
  ["f", "\f"],
  ["v", "\v"],
  ["\\", "\\"],
  ["'", "'"],
  ['"', '"'],
]);

/** The bytes of a string literal as Python 2 prints it. */
function unquote(line: string): Buffer {
  const quote = line[0];
  if (line.length < 2 || (quote !== "'" && quote !== '"') || !line.endsWith(quote)) {
    throw broken("a string is not in quotes");
  }
  const text = line
    .slice(1, -1)
    .replace(
      /\\(?:x([0-9a-fA-F]{2})|([0-7]{1,3})|([\s\S]))/g,
      (escaped, hex: string | undefined, octal: string | undefined, letter: string | undefined) => {
        if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
        if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
        return ESCAPES.get(letter ?? "") ?? escaped;
      },
    );
  return Buffer.from(text, "latin1");
}

/** Python 2 did not tell text from bytes: what is UTF-8 is read as text. */
function python2String(bytes: Buffer): string | Buffer {
  return strictUtf8(bytes, 0, bytes.length) ?? bytes;
}

/** @throws CodecError for a protocol that is not out yet */
export function checkProtocol(version: number): void {
  if (version > 5) {
    throw new CodecError(`The pickle is of protocol ${version}; 0 to 5 are known here`);
  }
}

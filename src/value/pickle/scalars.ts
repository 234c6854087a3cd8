import { CodecError } from "../../errors.js";
import { Op } from "./opcodes.js";
import type { PickleOutput } from "./output.js";

/** The largest integer that the reader takes, in bytes. */
export const MAX_INTEGER_SIZE: number = 64 * 1024;

/** Python's `int`, in the fewest bytes. */
export function writeInteger(output: PickleOutput, value: number | bigint): void {
  if (value >= -0x8000_0000 && value <= 0x7fff_ffff) {
    writeInt32(output, Number(value));
    return;
  }
  const bytes = twosComplement(BigInt(value));
  if (bytes.length > MAX_INTEGER_SIZE) {
    throw new CodecError(
      `A bigint of ${bytes.length} bytes is over the limit of ${MAX_INTEGER_SIZE}`,
    );
  }
  if (bytes.length < 256) {
    output.uint8(Op.long1);
    output.uint8(bytes.length);
  } else {
    output.uint8(Op.long4);
    output.uint32(bytes.length);
  }
  output.bytes(bytes);
}

function writeInt32(output: PickleOutput, value: number): void {
  if (value >= 0 && value < 0x100) {
    output.uint8(Op.binInt1);
    output.uint8(value);
  } else if (value >= 0 && value < 0x1_0000) {
    output.uint8(Op.binInt2);
    output.uint16(value);
  } else {
    output.uint8(Op.binInt);
    output.int32(value);
  }
}

/** Signed, little-endian, as short as its sign allows. */
function twosComplement(value: bigint): Buffer {
  const magnitude = (value < 0n ? ~value : value).toString(16);
  const bits = 4 * magnitude.length - (Math.clz32(Number.parseInt(magnitude[0]!, 16)) - 28);
  const size = Math.floor(bits / 8) + 1;
  const hex = BigInt.asUintN(size * 8, value)
    .toString(16)
    .padStart(size * 2, "0");
  return Buffer.from(hex, "hex").reverse();
}

/** Python's `float`. */
export function writeFloat(output: PickleOutput, value: number): void {
  output.uint8(Op.binFloat);
  output.float64(value);
}

/** Python's `str`, in which half a surrogate pair may stand alone. */
export function writeText(output: PickleOutput, text: string, protocol: number): void {
  const size = Buffer.byteLength(text);
  if (protocol >= 4 && size < 256) {
    output.uint8(Op.shortBinUnicode);
    output.uint8(size);
  } else {
    output.uint8(Op.binUnicode);
    output.uint32(size);
  }
  if (size === text.length) output.ascii(text);
  else output.bytes(text.isWellFormed() ? Buffer.from(text, "utf8") : encodeSurrogates(text));
}

/** UTF-8 with lone surrogates in three bytes each: as long as Node's replacement for them. */
function encodeSurrogates(text: string): Buffer {
  const parts: Buffer[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    parts.push(
      character.isWellFormed()
        ? Buffer.from(character, "utf8")
        : Buffer.from([0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)]),
    );
  }
  return Buffer.concat(parts);
}

/** Python's `bytes`, which protocol 3 brought. */
export function writeBytes(output: PickleOutput, data: Uint8Array): void {
  if (data.length < 256) {
    output.uint8(Op.shortBinBytes);
    output.uint8(data.length);
  } else {
    output.uint8(Op.binBytes);
    output.uint32(data.length);
  }
  output.bytes(data);
}

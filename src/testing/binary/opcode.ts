import { OPCODE, QUIET_CHANGES } from "../../protocol/binary/opcode.js";

/** What the quiet opcodes, which say nothing when all is well, are quiet forms of. */
const LOUD: ReadonlyMap<number, number> = new Map([
  ...Array.from(QUIET_CHANGES, ([loud, quiet]) => [quiet, loud] as const),
  [OPCODE.getQuiet, OPCODE.get],
  [OPCODE.getKeyQuiet, OPCODE.getKey],
  [OPCODE.quitQuiet, OPCODE.quit],
  [OPCODE.getAndTouchQuiet, OPCODE.getAndTouch],
  [OPCODE.getAndTouchKeyQuiet, OPCODE.getAndTouchKey],
]);

/** The command that a quiet opcode is a form of; undefined for one that is not quiet. */
export function loudForm(opcode: number): number | undefined {
  return LOUD.get(opcode);
}

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(OPCODE).map(([name, opcode]) => [opcode, name]),
);

/** A command's name for logs and fault scripts, for example `get` for all four that read. */
export function nameOf(opcode: number): string {
  const name = NAMES.get(loudForm(opcode) ?? opcode) ?? "unknown";
  if (name === "getKey") return "get";
  return name === "getAndTouch" || name === "getAndTouchKey" ? "gat" : name;
}

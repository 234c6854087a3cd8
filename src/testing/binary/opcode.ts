/** Every command of the binary protocol that memcached carries out (its protocol_binary.h). */
export const OPCODE = {
  get: 0x00,
  set: 0x01,
  add: 0x02,
  replace: 0x03,
  delete: 0x04,
  incr: 0x05,
  decr: 0x06,
  quit: 0x07,
  flush: 0x08,
  noop: 0x0a,
  version: 0x0b,
  getKey: 0x0c,
  append: 0x0e,
  prepend: 0x0f,
  stat: 0x10,
  touch: 0x1c,
  getAndTouch: 0x1d,
  saslList: 0x20,
  saslAuth: 0x21,
  saslStep: 0x22,
  getAndTouchKey: 0x23,
} as const;

/** The quiet opcodes, which say nothing when all is well, and what they are quiet forms of. */
const QUIET: ReadonlyMap<number, number> = new Map([
  [0x09, OPCODE.get],
  [0x0d, OPCODE.getKey],
  [0x11, OPCODE.set],
  [0x12, OPCODE.add],
  [0x13, OPCODE.replace],
  [0x14, OPCODE.delete],
  [0x15, OPCODE.incr],
  [0x16, OPCODE.decr],
  [0x17, OPCODE.quit],
  [0x18, OPCODE.flush],
  [0x19, OPCODE.append],
  [0x1a, OPCODE.prepend],
  [0x1e, OPCODE.getAndTouch],
  [0x24, OPCODE.getAndTouchKey],
]);

/** The command that a quiet opcode is a form of; undefined for one that is not quiet. */
export function loudForm(opcode: number): number | undefined {
  return QUIET.get(opcode);
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

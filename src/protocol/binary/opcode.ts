import {
  type AdminRequest,
  type DeleteRequest,
  isSilent,
  type Request,
  type SetMode,
  type SetRequest,
} from "../request.js";

/** The commands of the binary protocol, as memcached numbers them (its protocol_binary.h). */
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
  getQuiet: 0x09,
  noop: 0x0a,
  version: 0x0b,
  getKey: 0x0c,
  getKeyQuiet: 0x0d,
  append: 0x0e,
  prepend: 0x0f,
  stat: 0x10,
  setQuiet: 0x11,
  addQuiet: 0x12,
  replaceQuiet: 0x13,
  deleteQuiet: 0x14,
  incrQuiet: 0x15,
  decrQuiet: 0x16,
  quitQuiet: 0x17,
  flushQuiet: 0x18,
  appendQuiet: 0x19,
  prependQuiet: 0x1a,
  touch: 0x1c,
  getAndTouch: 0x1d,
  getAndTouchQuiet: 0x1e,
  saslList: 0x20,
  saslAuth: 0x21,
  saslStep: 0x22,
  getAndTouchKey: 0x23,
  getAndTouchKeyQuiet: 0x24,
} as const;

/** The quiet form of each command that changes items; `touch` has none. */
export const QUIET_CHANGES: ReadonlyMap<number, number> = new Map([
  [OPCODE.set, OPCODE.setQuiet],
  [OPCODE.add, OPCODE.addQuiet],
  [OPCODE.replace, OPCODE.replaceQuiet],
  [OPCODE.append, OPCODE.appendQuiet],
  [OPCODE.prepend, OPCODE.prependQuiet],
  [OPCODE.delete, OPCODE.deleteQuiet],
  [OPCODE.incr, OPCODE.incrQuiet],
  [OPCODE.decr, OPCODE.decrQuiet],
  [OPCODE.flush, OPCODE.flushQuiet],
]);

const SASL = {
  list: OPCODE.saslList,
  start: OPCODE.saslAuth,
  continue: OPCODE.saslStep,
} as const;

const SILENT: ReadonlySet<number> = new Set(QUIET_CHANGES.values());

/**
 * Whether only requests without a reply have this opcode: memcached answers them
 * nevertheless, when they fail.
 */
export function isSilentOpcode(opcode: number): boolean {
  return SILENT.has(opcode);
}

/** The opcode of a change that is answered only if it fails. */
export function quietOpcodeOf(request: SetRequest | DeleteRequest): number {
  return QUIET_CHANGES.get(opcodeOf(request))!;
}

/** Whether a request is answered even if all is well. */
export function isAnswered(request: Request): boolean {
  return !isSilent(request) || !SILENT.has(opcodeOf(request));
}

/** The opcode of a request; for a many-key get, the one of each of its keys. */
export function opcodeOf(request: Request): number {
  switch (request.verb) {
    case "get":
      if (request.keys !== undefined) return OPCODE.getKeyQuiet;
      if (request.touch === undefined) return OPCODE.getKey;
      return request.value || request.meta !== undefined ? OPCODE.getAndTouch : OPCODE.touch;
    case "set":
      return orQuiet(setOpcode(request.mode, request.compareCas), request.noreply);
    case "delete":
      return orQuiet(OPCODE.delete, request.noreply);
    case "arithmetic":
      return orQuiet(OPCODE[request.mode], request.noreply);
    case "admin":
      return adminOpcode(request);
  }
}

/** A set that depends on a cas is a replace to libmemcached, which is also what it means. */
function setOpcode(mode: SetMode, compareCas: bigint | undefined): number {
  return mode === "set" && compareCas !== undefined ? OPCODE.replace : OPCODE[mode];
}

function orQuiet(opcode: number, noreply: boolean): number {
  return noreply ? QUIET_CHANGES.get(opcode)! : opcode;
}

function adminOpcode(request: AdminRequest): number {
  switch (request.action) {
    case "sasl":
      return SASL[request.step];
    case "flushAll":
      return orQuiet(OPCODE.flush, request.noreply);
    case "version":
      return OPCODE.version;
    case "stats":
      return OPCODE.stat;
    default:
      return OPCODE.noop;
  }
}

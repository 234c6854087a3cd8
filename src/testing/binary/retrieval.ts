import { OPCODE } from "../../protocol/binary/opcode.js";
import { uint32 } from "../../protocol/binary/packet.js";
import { STATUS } from "../../protocol/binary/status.js";
import type { Session } from "../session.js";
import type { Command } from "./command.js";
import { errorPacket, type Packet, replyPacket } from "./packet.js";

/** `get getk touch gat gatk` and their quiet forms, whose misses go without a reply. */
function retrieve({ instance }: Session, packet: Packet): string {
  const { command, key, extras, quiet } = packet;
  const touches = extras.length === 4;
  const returnsKey = command === OPCODE.getKey || command === OPCODE.getAndTouchKey;
  const exptime = touches ? instance.expiry(extras.readUInt32BE(0)) : undefined;
  const item = instance.read(key, exptime);
  instance.prefixes.countGet(key, item !== undefined);
  if (item === undefined) {
    if (quiet) return "";
    return returnsKey
      ? replyPacket(packet, STATUS.notFound, { key })
      : errorPacket(packet, STATUS.notFound);
  }
  return replyPacket(packet, STATUS.ok, {
    extras: uint32(item.flags),
    key: returnsKey ? key : "",
    value: command === OPCODE.touch ? "" : item.data,
    cas: item.cas,
  });
}

const GET: Command = {
  accepts: ({ key, extras, valueBytes }) => key !== "" && extras.length === 0 && valueBytes === 0,
  run: retrieve,
};

const TOUCH: Command = {
  accepts: ({ key, extras }) => key !== "" && extras.length === 4,
  run: retrieve,
};

export const RETRIEVAL: readonly (readonly [number, Command])[] = [
  [OPCODE.get, GET],
  [OPCODE.getKey, GET],
  [OPCODE.touch, TOUCH],
  [OPCODE.getAndTouch, TOUCH],
  [OPCODE.getAndTouchKey, TOUCH],
];

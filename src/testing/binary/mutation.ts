import { OPCODE } from "../../protocol/binary/opcode.js";
import { uint64 } from "../../protocol/binary/packet.js";
import { STATUS } from "../../protocol/binary/status.js";
import type { Session } from "../session.js";
import type { Command } from "./command.js";
import { errorPacket, NO_MEMORY, type Packet, replyPacket } from "./packet.js";

/** An exptime that says: do not make an item that is missing. */
const NO_CREATION = 0xffffffff;

function remove({ instance }: Session, packet: Packet): string {
  instance.prefixes.countDelete(packet.key);
  switch (instance.remove(packet.key, packet.cas)) {
    case "deleted":
      return packet.quiet ? "" : replyPacket(packet, STATUS.ok);
    case "exists":
      return errorPacket(packet, STATUS.exists);
    case "notFound":
      return errorPacket(packet, STATUS.notFound);
  }
}

function arithmetic(mode: "incr" | "decr"): Command {
  return {
    accepts: ({ key, extras, valueBytes }) =>
      key !== "" && extras.length === 20 && valueBytes === 0,
    run: (session, packet) => change(session, packet, mode),
  };
}

function change({ instance }: Session, packet: Packet, mode: "incr" | "decr"): string {
  const { key, extras, cas } = packet;
  const exptime = extras.readUInt32BE(16);
  const makes = exptime !== NO_CREATION;
  const sum = instance.add(mode, key, extras.readBigUInt64BE(0), cas, makes);
  switch (sum.kind) {
    case "number":
      return changed(packet, BigInt(sum.digits), sum.item.cas);
    case "exists":
      return errorPacket(packet, STATUS.exists);
    case "noMemory":
      return errorPacket(packet, NO_MEMORY, "Out of memory incrementing value");
    case "notNumeric":
      return errorPacket(packet, STATUS.notNumeric);
    case "notFound":
      break;
  }
  if (!makes) return errorPacket(packet, STATUS.notFound);
  const initial = extras.readBigUInt64BE(8);
  const data = String(initial);
  const draft = { key, data, flags: 0, exptime: instance.expiry(exptime) };
  if (instance.store.reserve(key, data.length, 0) !== undefined) {
    return errorPacket(packet, NO_MEMORY, "Out of memory allocating new item");
  }
  return changed(packet, initial, instance.make(draft).cas);
}

function changed(packet: Packet, number: bigint, cas: bigint): string {
  return packet.quiet ? "" : replyPacket(packet, STATUS.ok, { value: uint64(number), cas });
}

export const MUTATION: readonly (readonly [number, Command])[] = [
  [
    OPCODE.delete,
    {
      accepts: ({ key, extras, valueBytes }) =>
        key !== "" && extras.length === 0 && valueBytes === 0,
      run: remove,
    },
  ],
  [OPCODE.incr, arithmetic("incr")],
  [OPCODE.decr, arithmetic("decr")],
];

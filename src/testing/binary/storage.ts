import { OPCODE } from "../../protocol/binary/opcode.js";
import { STATUS } from "../../protocol/binary/status.js";
import type { Session } from "../session.js";
import type { StoreMode, StoreResult } from "../store.js";
import { type Answer, type Command, readPast } from "./command.js";
import { errorPacket, NO_MEMORY, type Packet, replyPacket } from "./packet.js";

type Mode = Exclude<StoreMode, "cas">;

/** The commands that store a value; set, add and replace carry flags and an exptime. */
function storage(mode: Mode): Command {
  const extraBytes = mode === "append" || mode === "prepend" ? 0 : 8;
  return {
    accepts: ({ key, extras }) => key !== "" && extras.length === extraBytes,
    run: (session, packet) => header(session, packet, mode),
  };
}

function header({ instance }: Session, packet: Packet, mode: Mode): Answer {
  const { key, extras, cas, valueBytes } = packet;
  const joins = extras.length === 0;
  const flags = joins ? 0 : extras.readUInt32BE(0);
  const exptime = joins ? 0 : instance.expiry(extras.readUInt32BE(4));
  const draft = { key, data: "", flags, exptime };
  instance.prefixes.countSet(key);
  const shortage = instance.admit(mode, mode === "set", draft, valueBytes);
  if (shortage !== undefined) {
    const refusal =
      shortage === "tooLarge"
        ? errorPacket(packet, STATUS.tooLarge)
        : errorPacket(packet, NO_MEMORY, "Out of memory allocating item");
    return readPast(valueBytes, refusal);
  }
  const stored = !joins && cas !== 0n ? "cas" : mode;
  return {
    bytes: valueBytes,
    wanted: true,
    finish: (data) => {
      const result = instance.write(stored, { ...draft, data }, { compareCas: cas });
      return answer(packet, stored, result, instance.store.stored?.cas ?? 0n);
    },
  };
}

function answer(packet: Packet, mode: StoreMode, result: StoreResult, cas: bigint): string {
  switch (result) {
    case "stored":
      return packet.quiet ? "" : replyPacket(packet, STATUS.ok, { cas });
    case "exists":
      return errorPacket(packet, STATUS.exists);
    case "notFound":
      return errorPacket(packet, STATUS.notFound);
    case "notStored":
      if (mode === "add") return errorPacket(packet, STATUS.exists);
      return errorPacket(packet, mode === "replace" ? STATUS.notFound : STATUS.notStored);
  }
}

export const STORAGE: readonly (readonly [number, Command])[] = [
  [OPCODE.set, storage("set")],
  [OPCODE.add, storage("add")],
  [OPCODE.replace, storage("replace")],
  [OPCODE.append, storage("append")],
  [OPCODE.prepend, storage("prepend")],
];

import { OPCODE } from "../../protocol/binary/opcode.js";
import { STATUS } from "../../protocol/binary/status.js";
import type { Instance } from "../instance.js";
import type { Session } from "../session.js";
import type { Entry } from "../stats/entry.js";
import { statsOf } from "../stats/stats.js";
import type { Command } from "./command.js";
import { errorPacket, type Packet, replyPacket } from "./packet.js";

function isEmpty({ bodyBytes }: Packet): boolean {
  return bodyBytes === 0;
}

function flush({ instance }: Session, packet: Packet): string {
  const { extras, quiet } = packet;
  if (!instance.settings.flushAll) return errorPacket(packet, STATUS.authFailed);
  instance.flush(extras.length === 4 ? extras.readUInt32BE(0) : 0);
  return quiet ? "" : replyPacket(packet, STATUS.ok);
}

function quit(session: Session, packet: Packet): string {
  session.closing = true;
  return packet.quiet ? "" : replyPacket(packet, STATUS.ok);
}

/** One packet for each statistic, and one without a key at the end. */
function stat({ instance }: Session, packet: Packet): string {
  const { key } = packet;
  let entries: readonly Entry[] | undefined;
  if (key.startsWith("reset")) {
    instance.resetStats();
    entries = [];
  } else if (key.startsWith("detail")) {
    entries = detail(instance, key.slice("detail".length));
  } else if (key !== "conns") {
    entries = statsOf(instance, key === "" ? undefined : key);
  }
  if (entries === undefined) return errorPacket(packet, STATUS.notFound);
  let reply = "";
  for (const [name, value] of entries) {
    reply += replyPacket(packet, STATUS.ok, { key: name, value: String(value) });
  }
  return reply + replyPacket(packet, STATUS.ok);
}

function detail({ prefixes, settings }: Instance, what: string): Entry[] | undefined {
  if (settings.release.strictParser && !settings.dump) return undefined;
  if (what.startsWith(" dump")) return [["detailed", prefixes.dump()]];
  if (what.startsWith(" on")) prefixes.enabled = true;
  else if (what.startsWith(" off")) prefixes.enabled = false;
  else return undefined;
  return [];
}

export const ADMIN: readonly (readonly [number, Command])[] = [
  [OPCODE.noop, { accepts: isEmpty, run: (_, packet) => replyPacket(packet, STATUS.ok) }],
  [
    OPCODE.version,
    {
      accepts: isEmpty,
      run: ({ instance }, packet) =>
        replyPacket(packet, STATUS.ok, { value: instance.settings.release.version }),
    },
  ],
  [
    OPCODE.flush,
    {
      accepts: ({ key, extras, valueBytes }) =>
        key === "" && valueBytes === 0 && (extras.length === 0 || extras.length === 4),
      run: flush,
    },
  ],
  [OPCODE.stat, { accepts: ({ extras }) => extras.length === 0, run: stat }],
  [OPCODE.quit, { accepts: isEmpty, run: quit }],
];

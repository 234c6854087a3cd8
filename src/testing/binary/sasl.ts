import { OPCODE } from "../../protocol/binary/opcode.js";
import { STATUS } from "../../protocol/binary/status.js";
import { isAccepted } from "../credentials.js";
import type { Session } from "../session.js";
import type { Credentials } from "../settings.js";
import { type Answer, type Command, readPast } from "./command.js";
import { errorPacket, type Packet, replyPacket } from "./packet.js";

const MAX_MECHANISM_BYTES = 32;
const MECHANISM = "PLAIN";

function list({ instance }: Session, packet: Packet): Answer {
  if (instance.settings.sasl === undefined) return unknown(packet);
  return replyPacket(packet, STATUS.ok, { value: MECHANISM });
}

/** The first message of an exchange; without data the server asks for them. */
function start(session: Session, packet: Packet): Answer {
  return exchange(session, packet, (data, accepted) => {
    if (packet.key !== MECHANISM) return judge(session, packet, accepted, undefined);
    session.saslStarted = true;
    if (data === "") return replyPacket(packet, STATUS.authContinue);
    return judge(session, packet, accepted, data);
  });
}

function step(session: Session, packet: Packet): Answer {
  return exchange(session, packet, (data, accepted) =>
    judge(session, packet, accepted, session.saslStarted ? data : undefined),
  );
}

function exchange(
  { instance }: Session,
  packet: Packet,
  answer: (data: string, accepted: Credentials) => string,
): Answer {
  const { sasl } = instance.settings;
  const { key, valueBytes } = packet;
  if (sasl === undefined) return unknown(packet);
  if (key.length > MAX_MECHANISM_BYTES) {
    return readPast(valueBytes, errorPacket(packet, STATUS.invalidArguments));
  }
  return { bytes: valueBytes, wanted: true, finish: (data) => answer(data, sasl) };
}

/** @param plain - what PLAIN sends; undefined where an exchange cannot have come so far */
function judge(
  session: Session,
  packet: Packet,
  accepted: Credentials,
  plain: string | undefined,
): string {
  const { totals } = session.instance.counters;
  totals.auth_cmds++;
  const [, user, password] = plain?.split("\0") ?? [];
  if (user !== undefined && password !== undefined && isAccepted(accepted, user, password)) {
    session.authenticated = true;
    return replyPacket(packet, STATUS.ok, { value: "Authenticated" });
  }
  totals.auth_errors++;
  return errorPacket(packet, STATUS.authFailed);
}

function unknown(packet: Packet): Answer {
  return readPast(packet.valueBytes, errorPacket(packet, STATUS.unknownCommand));
}

/** SASL with the one mechanism PLAIN, which needs no answer from the server. */
export const SASL: readonly (readonly [number, Command])[] = [
  [OPCODE.saslList, { accepts: ({ bodyBytes }) => bodyBytes === 0, run: list }],
  [
    OPCODE.saslAuth,
    { accepts: ({ key, extras }) => key !== "" && extras.length === 0, run: start },
  ],
  [OPCODE.saslStep, { accepts: ({ key, extras }) => key !== "" && extras.length === 0, run: step }],
];

/** What a client may say before it has authenticated. */
export const BEFORE_AUTH: ReadonlySet<number> = new Set([
  OPCODE.saslList,
  OPCODE.saslAuth,
  OPCODE.saslStep,
  OPCODE.version,
]);

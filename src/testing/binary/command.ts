import type { Session } from "../session.js";
import type { Packet } from "./packet.js";

/** A command's answer: a reply, or what to do once the value has been read. */
export type Answer = string | Value;

/** The value that follows extras and key. */
export interface Value {
  readonly bytes: number;
  /** Whether the value is wanted, or read past. */
  readonly wanted: boolean;
  /** Answers once the value is there; it is empty if it was read past. */
  readonly finish: (data: string) => string;
}

/** A binary command and the shape of packets that it accepts. */
export interface Command {
  readonly accepts: (packet: Packet) => boolean;
  readonly run: (session: Session, packet: Packet) => Answer;
}

export function readPast(bytes: number, answer: string): Value {
  return { bytes, wanted: false, finish: () => answer };
}

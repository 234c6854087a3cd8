import type { Command } from "../operation.js";
import type { Data, SetMode, SetRequest } from "../protocol/request.js";

/** Writing (protocol.txt, "Storage commands"). */

export function setRequest(
  mode: SetMode,
  key: string,
  data: Data,
  flags: number,
  exptime: number,
  compareCas: bigint | undefined,
  noreply: boolean,
): SetRequest {
  return { verb: "set", mode, key, data, flags, exptime, compareCas, noreply, meta: undefined };
}

/** Stores unless something speaks against it; a silent request always counts as stored. */
function storage(name: string, idempotent: boolean): Command<boolean> {
  return { name, idempotent, read: (reply) => reply.kind === "stored" || reply.kind === "ok" };
}

export const set: Command<boolean> = storage("set", true);
export const add: Command<boolean> = storage("add", false);
export const replace: Command<boolean> = storage("replace", true);
export const append: Command<boolean> = storage("append", false);
export const prepend: Command<boolean> = storage("prepend", false);
export const cas: Command<boolean> = storage("cas", false);
export const setMulti: Command<boolean> = storage("setMulti", true);
export const addMulti: Command<boolean> = storage("addMulti", false);

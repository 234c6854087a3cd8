import type { Command } from "../operation.js";
import type { Reply } from "../protocol/reply.js";
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

/** Resolves to whether the value was stored. */
export interface StorageCommand extends Command<boolean> {
  /** How it treats what the key already holds. */
  readonly mode: SetMode;
}

/** A silent request always counts as stored. */
function storage(name: string, mode: SetMode, idempotent: boolean): StorageCommand {
  const read = (reply: Reply) => reply.kind === "stored" || reply.kind === "ok";
  return { name, mode, idempotent, read };
}

export const set: StorageCommand = storage("set", "set", true);
export const add: StorageCommand = storage("add", "add", false);
export const replace: StorageCommand = storage("replace", "replace", true);
export const append: StorageCommand = storage("append", "append", false);
export const prepend: StorageCommand = storage("prepend", "prepend", false);
export const cas: StorageCommand = storage("cas", "set", false);
export const setMulti: StorageCommand = storage("setMulti", "set", true);
export const addMulti: StorageCommand = storage("addMulti", "add", false);

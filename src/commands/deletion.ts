import type { Command } from "../operation.js";
import type { DeleteRequest } from "../protocol/request.js";

/** Removing (protocol.txt, "Deletion"). */

export function deleteRequest(key: string, noreply: boolean): DeleteRequest {
  return { verb: "delete", key, compareCas: undefined, noreply, meta: undefined };
}

export const del: Command<boolean> = {
  name: "delete",
  idempotent: true,
  read: (reply) => reply.kind === "ok",
};

export const deleteMulti: Command<boolean> = { ...del, name: "deleteMulti" };

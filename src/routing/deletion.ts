import type { DeleteRequest, KeyRequest, MetaFlags } from "../protocol/request.js";

/** The deletion of the item that a request is about. */
export function deletionOf({ key, meta }: KeyRequest, noreply = false): DeleteRequest {
  return { verb: "delete", key, compareCas: undefined, noreply, meta: plainMeta(meta) };
}

/** How the key is written: all that another request about it needs of what only meta commands say. */
export function plainMeta(meta: MetaFlags | undefined): MetaFlags | undefined {
  return meta?.base64Key === true ? { base64Key: true } : undefined;
}

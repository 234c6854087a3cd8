import type { KeyRequest } from "../protocol/request.js";

/**
 * The same request with its key in base64, which only a meta command can say. It is
 * answered even if it was to be silent.
 */
export function inBase64(request: KeyRequest): KeyRequest {
  switch (request.verb) {
    case "get":
      return { ...request, noreply: false, meta: { ...request.meta, base64Key: true } };
    case "set":
      return { ...request, noreply: false, meta: { ...request.meta, base64Key: true } };
    case "delete":
      return { ...request, noreply: false, meta: { ...request.meta, base64Key: true } };
    case "arithmetic":
      return { ...request, noreply: false, meta: { ...request.meta, base64Key: true } };
  }
}

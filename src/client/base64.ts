import type { KeyRequest } from "../protocol/request.js";

/** The same request with its key in base64, which only a meta command can say. */
export function inBase64(request: KeyRequest): KeyRequest {
  switch (request.verb) {
    case "get":
      return { ...request, meta: { ...request.meta, base64Key: true } };
    case "set":
      return { ...request, meta: { ...request.meta, base64Key: true } };
    case "delete":
      return { ...request, meta: { ...request.meta, base64Key: true } };
    case "arithmetic":
      return { ...request, meta: { ...request.meta, base64Key: true } };
  }
}

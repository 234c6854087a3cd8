import type { KeyRequest, Request } from "../../protocol/request.js";

/** The same request with its key in base64, which only a meta command can say. */
export function inBase64(request: KeyRequest): KeyRequest;
export function inBase64(request: Request): Request;
export function inBase64(request: Request): Request {
  switch (request.verb) {
    case "get":
      return { ...request, meta: { ...request.meta, base64Key: true } };
    case "set":
      return { ...request, meta: { ...request.meta, base64Key: true } };
    case "delete":
      return { ...request, meta: { ...request.meta, base64Key: true } };
    case "arithmetic":
      return { ...request, meta: { ...request.meta, base64Key: true } };
    case "admin":
      return request.action === "debug" ? { ...request, base64Key: true } : request;
  }
}

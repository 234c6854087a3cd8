import type { KeyRequest, Request } from "../../protocol/request.js";

/** The same request with its key in base64, which only a meta command can say. */
export function inBase64<Asked extends Request>(request: Asked): Asked;
export function inBase64(request: Request): Request {
  if (request.verb === "admin") {
    return request.action === "debug" ? { ...request, base64Key: true } : request;
  }
  // Each verb has flags of its own, and this one flag among them.
  return { ...request, meta: { ...request.meta, base64Key: true } } as KeyRequest;
}

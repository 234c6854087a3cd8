import { createHash, timingSafeEqual } from "node:crypto";
import type { Credentials } from "./settings.js";

/** Whether a name and password, as byte strings, are among the accepted ones. */
export function isAccepted(accepted: Credentials, user: string, password: string): boolean {
  let found = false;
  for (const [name, secret] of Object.entries(accepted)) {
    const matches = sameBytes(name, user) && sameBytes(secret, password);
    found ||= matches;
  }
  return found;
}

/** Compares without telling by its time how much of the text was right. */
function sameBytes(text: string, bytes: string): boolean {
  return timingSafeEqual(digest(Buffer.from(text)), digest(Buffer.from(bytes, "latin1")));
}

function digest(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}

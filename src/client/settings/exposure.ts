import { type Address, isUnix } from "../../connection/address.js";
import { OptionError } from "../../errors.js";
import { warnOnce } from "../warning.js";

/** What becomes of credentials that would cross a network where somebody else can have them. */
export type PlaintextCredentials = "allow" | "warn" | "refuse";

export const PLAINTEXT_CHOICES: readonly PlaintextCredentials[] = ["allow", "warn", "refuse"];

/** Names and addresses that never leave this machine. */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/i;

/**
 * Called for a server that gets credentials without TLS, or that nobody verifies; warns once for
 * each server.
 * @throws OptionError if that is refused
 */
export function exposeCredentials(
  address: Address,
  choice: PlaintextCredentials,
  isSecure: boolean,
): void {
  if (choice === "allow" || isUnix(address) || LOOPBACK.test(address.host)) return;
  const subject = `The credentials for ${address.name}`;
  const what = isSecure
    ? "go to whoever answers there (rejectUnauthorized: false); set tls.ca in its place"
    : "go there without TLS, and whoever is on the way can read them; set tls";
  if (choice === "refuse") throw new OptionError(`${subject} ${what}`);
  warnOnce(
    subject,
    `${what}, or plaintextCredentials: "allow" if nobody is`,
    "MEMCACHED_PLAINTEXT_CREDENTIALS",
  );
}

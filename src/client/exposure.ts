import { type Address, isUnix } from "../connection/address.js";
import { OptionError } from "../errors.js";

/** What becomes of credentials that would cross a network where it can be listened to. */
export type PlaintextCredentials = "allow" | "warn" | "refuse";

export const PLAINTEXT_CHOICES: readonly PlaintextCredentials[] = ["allow", "warn", "refuse"];

/** Names and addresses that never leave this machine. */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/i;

const warned = new Set<string>();

/**
 * Called for a server that gets credentials without TLS; warns once for each server.
 * @throws OptionError if that is refused
 */
export function exposeCredentials(address: Address, choice: PlaintextCredentials): void {
  if (choice === "allow" || isUnix(address) || LOOPBACK.test(address.host)) return;
  const what = `The credentials for ${address.name} go there without TLS, and whoever is on the way can read them`;
  if (choice === "refuse") throw new OptionError(`${what}; set tls`);
  if (warned.has(address.name)) return;
  warned.add(address.name);
  process.emitWarning(`${what}; set tls, or plaintextCredentials: "allow" if nobody is`, {
    type: "MemcachedWarning",
    code: "MEMCACHED_PLAINTEXT_CREDENTIALS",
  });
}

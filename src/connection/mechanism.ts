import { OptionError } from "../errors.js";
import { builtin } from "../util/builtin.js";
import { keysOf } from "../util/names.js";
import type { Credentials } from "./credentials.js";
import { scram } from "./scram.js";

const crypto = builtin("node:crypto");

/**
 * A SASL mechanism under way: `next(challenge)` gives the response to a challenge, of
 * which the first is empty and the last is what the server said with its consent. It
 * throws for a server that does not keep to the mechanism.
 */
export type Dialogue = AsyncGenerator<string, void, string>;

/** A SASL mechanism that this client knows. */
export type MechanismName =
  | "SCRAM-SHA-512"
  | "SCRAM-SHA-256"
  | "SCRAM-SHA-1"
  | "CRAM-MD5"
  | "PLAIN";

/** The mechanisms, the strongest first. */
const MECHANISMS: Readonly<Record<MechanismName, (credentials: Credentials) => Dialogue>> = {
  "SCRAM-SHA-512": (credentials) => scram("sha512", credentials),
  "SCRAM-SHA-256": (credentials) => scram("sha256", credentials),
  "SCRAM-SHA-1": (credentials) => scram("sha1", credentials),
  "CRAM-MD5": cramMd5,
  PLAIN: plain,
};

export const MECHANISM_NAMES: readonly MechanismName[] = keysOf(MECHANISMS);

/** The mechanism to use with a server, or undefined if it offers none that will do. */
export function chooseMechanism(
  offered: readonly string[],
  wanted: MechanismName | undefined,
): MechanismName | undefined {
  const candidates = wanted === undefined ? MECHANISM_NAMES : [wanted];
  return candidates.find((name) => offered.includes(name));
}

export function startMechanism(name: MechanismName, credentials: Credentials): Dialogue {
  return MECHANISMS[name](credentials);
}

/** RFC 4616; the identity to act as is the user's own, as libmemcached sends it. */
async function* plain({ username, password }: Credentials): Dialogue {
  if (`${username}${password}`.includes("\0")) {
    throw new OptionError(
      "PLAIN parts what it sends by NUL, which a name and a password cannot have",
    );
  }
  yield `${username}\0${username}\0${password}`;
}

/** RFC 2195: the password keys a digest of what the server made up. */
async function* cramMd5({ username, password }: Credentials): Dialogue {
  const challenge = yield "";
  yield `${username} ${crypto().createHmac("md5", password).update(challenge).digest("hex")}`;
}

import { ProtocolError } from "../errors.js";
import { builtin } from "../util/builtin.js";
import { quote } from "../util/show.js";
import type { Credentials } from "./credentials.js";

const util = builtin("node:util");
const crypto = builtin("node:crypto");

type Digest = "sha1" | "sha256" | "sha512";

/**
 * What RFC 5802 and RFC 7677 ask for at least, and Cyrus SASL sends. A server that asks for less
 * wants to find the password by the proof: its guesses cost it as little as ours.
 */
const MIN_ITERATIONS = 4096;

/** A server that asks for more keeps the machine busy, which may be all that it wants. */
const MAX_ITERATIONS = 1_000_000;

/** Base64 of `n,,`: no channel binding, no other identity to act as. */
const GS2_HEADER = "biws";

/**
 * SCRAM (RFC 5802, RFC 7677): the password never crosses the wire, and the server has to
 * show that it knows it too.
 *
 * ```
 *   n,,n=user,r=nonce      ───▶
 *                          ◀───  r=nonce+more,s=salt,i=iterations
 *   c=biws,r=…,p=proof     ───▶
 *                          ◀───  v=signature
 * ```
 */
export async function* scram(
  digest: Digest,
  { username, password }: Credentials,
  nonce: string = crypto().randomBytes(24).toString("base64"),
): AsyncGenerator<string, void, string> {
  const name = username.replaceAll("=", "=3D").replaceAll(",", "=2C");
  const clientFirst = `n=${name},r=${nonce}`;
  const serverFirst = yield `n,,${clientFirst}`;

  const { r: wholeNonce = "", s: salt = "", i: iterations = "", m } = attributes(serverFirst);
  const count = /^\d{1,7}$/.test(iterations) ? Number(iterations) : 0;
  const isOurs = wholeNonce.startsWith(nonce) && wholeNonce !== nonce;
  // `m` is an extension that has to be known, and none is.
  if (!isOurs || salt === "" || m !== undefined) {
    throw new ProtocolError("the server's first SCRAM message does not fit ours");
  }
  if (count < MIN_ITERATIONS || count > MAX_ITERATIONS) {
    throw new ProtocolError(
      `the server asks for ${quote(iterations, 20)} rounds of SCRAM, and not for ${MIN_ITERATIONS} to ${MAX_ITERATIONS}`,
    );
  }
  const { createHash, createHmac, pbkdf2, timingSafeEqual } = crypto();
  const size = createHash(digest).digest().length;
  const secret = await util().promisify(pbkdf2)(
    password, // as it is: Cyrus SASL, and so memcached, does not bring it into the form of SASLprep
    Buffer.from(salt, "base64"),
    count,
    size,
    digest,
  );
  const hmac = (key: Buffer, text: string) => createHmac(digest, key).update(text).digest();
  const clientFinal = `c=${GS2_HEADER},r=${wholeNonce}`;
  const messages = `${clientFirst},${serverFirst},${clientFinal}`;
  const clientKey = hmac(secret, "Client Key");
  const signature = hmac(createHash(digest).update(clientKey).digest(), messages);
  const proof = clientKey.map((byte, i) => byte ^ signature[i]!);
  const serverFinal = yield `${clientFinal},p=${Buffer.from(proof).toString("base64")}`;

  const { v: shown = "", e: error } = attributes(serverFinal);
  if (error !== undefined)
    throw new ProtocolError(`the server answered SCRAM with ${quote(error, 60)}`);
  const expected = hmac(hmac(secret, "Server Key"), messages);
  const found = Buffer.from(shown, "base64");
  if (found.length !== expected.length || !timingSafeEqual(found, expected)) {
    throw new ProtocolError("the server does not show that it knows the password");
  }
  yield "";
}

/** `r=abc,s=def` as an object; of a name that comes twice, the last counts. */
function attributes(message: string): Partial<Record<string, string>> {
  return Object.fromEntries(message.split(",").map((part) => [part.slice(0, 1), part.slice(2)]));
}

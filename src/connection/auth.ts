import { AuthError, messageOf, NetworkError, UnknownCommandReply } from "../errors.js";
import type { Reply } from "../protocol/reply.js";
import type { Request, SaslRequest } from "../protocol/request.js";
import { shorten } from "../util/show.js";
import { type CredentialsProvider, credentialsFor } from "./credentials.js";
import type { Greet } from "./greeting.js";
import { chooseMechanism, type MechanismName, startMechanism } from "./mechanism.js";

/**
 * The text protocol's authentication (`memcached -Y`; protocol.txt, "Authentication"): a
 * set whose data are the credentials. It has already expired, so that a server that wants
 * no authentication does not keep them as an item.
 */
export function textAuthentication(provide: CredentialsProvider): Greet {
  return (ask, server) =>
    refusedAs(server, async () => {
      const { username, password } = await credentialsFor(server, provide);
      if (/\s/.test(username)) throw refusal(server, "the user's name has a blank in it");
      await ask({
        verb: "set",
        mode: "set",
        key: "authentication",
        data: Buffer.from(`${username} ${password}`),
        flags: 0,
        exptime: -1,
        compareCas: undefined,
        noreply: false,
        meta: undefined,
      });
    });
}

/**
 * SASL over the binary protocol (`memcached -S`), by a mechanism that was named, or by
 * the strongest that the server offers.
 */
export function saslAuthentication(
  provide: CredentialsProvider,
  wanted: MechanismName | undefined,
): Greet {
  return (ask, server) =>
    refusedAs(server, async () => {
      const credentials = await credentialsFor(server, provide);
      const offered = textOf(await ask(sasl("list", "", "")));
      const mechanism = chooseMechanism(offered.split(" "), wanted);
      if (mechanism === undefined)
        throw refusal(server, `it offers ${shorten(offered, 200)} alone`);
      const dialogue = startMechanism(mechanism, credentials);
      const first = await dialogue.next("");
      let reply = await ask(sasl("start", mechanism, first.value ?? ""));
      while (reply.kind === "challenge") {
        const next = await dialogue.next(textOf(reply));
        reply = await ask(sasl("continue", mechanism, next.value ?? ""));
      }
      // A mechanism by which the server shows who it is as well has the last word, and no more to send.
      const last = await dialogue.next(textOf(reply));
      if (last.value) throw refusal(server, `it consents before ${mechanism} is over`);
    });
}

const NO_AUTHENTICATION = "it knows none, as memcached without -S; leave the credentials out";

/** Everything that ends an authentication, other than the network, is an AuthError. */
async function refusedAs(server: string, authenticate: () => Promise<void>): Promise<void> {
  try {
    await authenticate();
  } catch (error) {
    if (error instanceof NetworkError && error.server !== undefined) throw error;
    if (error instanceof UnknownCommandReply) throw refusal(server, NO_AUTHENTICATION, error);
    throw refusal(server, messageOf(error), error);
  }
}

function refusal(server: string, why: string, cause?: unknown): AuthError {
  return new AuthError(`Authentication at ${server} failed: ${why}`, { server, cause });
}

function sasl(step: SaslRequest["step"], mechanism: string, response: string): Request {
  const bytes = Buffer.from(response, "utf8").toString("latin1");
  return { verb: "admin", action: "sasl", key: "", step, mechanism, response: bytes };
}

function textOf(reply: Reply): string {
  if (reply.kind !== "text" && reply.kind !== "challenge") return "";
  return Buffer.from(reply.text, "latin1").toString("utf8");
}

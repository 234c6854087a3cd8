import { isIP } from "node:net";
import { type Address, isUdp } from "../../connection/address.js";
import { saslAuthentication, textAuthentication } from "../../connection/auth.js";
import type { CredentialsProvider } from "../../connection/credentials.js";
import type { SocketOptions, TlsOptions } from "../../connection/dial.js";
import type { Greet } from "../../connection/greeting.js";
import { MECHANISM_NAMES, type MechanismName } from "../../connection/mechanism.js";
import { OptionError } from "../../errors.js";
import { BinaryWire } from "../../protocol/binary/wire.js";
import {
  type EncodeKey,
  encodeAnyKey,
  encodeKey,
  encodeTextOrBinaryKey,
} from "../../protocol/key.js";
import { hashingLongKeys } from "../../protocol/longkey.js";
import { ProxiedWire } from "../../protocol/text/proxied.js";
import { TextWire } from "../../protocol/text/wire.js";
import type { Wire } from "../../protocol/wire.js";
import {
  checkBoolean,
  checkChoice,
  checkDurationMs,
  checkFunction,
  checkInteger,
  checkOptions,
} from "../../util/check.js";
import { type NamesOf, namesOf } from "../../util/names.js";
import { kindOf, show } from "../../util/show.js";
import { PLAINTEXT_CHOICES, type PlaintextCredentials } from "./exposure.js";

/** How a client reaches its servers. */
export interface TransportOptions {
  /**
   * Speaks the binary protocol, as pylibmc's `binary=True`. Keys may hold any bytes then;
   * most of what the meta commands can ask for has no words there and is a
   * NotSupportedError.
   * @defaultValue false
   */
  readonly binary?: boolean | undefined;
  /**
   * Who asks: by SASL over the binary protocol (`memcached -S`), by the text protocol's own
   * authentication otherwise (`memcached -Y`). It goes with `password`.
   */
  readonly username?: string | undefined;
  /** The password of `username`; no error and no inspection shows it. */
  readonly password?: string | undefined;
  /**
   * Gives the credentials in the place of `username` and `password`, anew for each
   * connection, so that they can change.
   */
  readonly credentials?: CredentialsProvider | undefined;
  /** The SASL mechanism to use. @defaultValue the strongest that the server offers */
  readonly saslMechanism?: MechanismName | undefined;
  /**
   * Where credentials would cross a network without TLS, or with `rejectUnauthorized: false`
   * (not to a unix socket or this machine itself): a warning for each server, an OptionError,
   * or nothing.
   * @defaultValue "warn"
   */
  readonly plaintextCredentials?: PlaintextCredentials | undefined;
  /**
   * Speaks TLS: true, or what `tls.connect` takes (`ca`, `cert`, `key`, `servername`, …).
   * A server is expected to show a certificate for the name that it is called by.
   * @defaultValue true for a `memcacheds://` URL, otherwise false
   */
  readonly tls?: boolean | TlsOptions | undefined;
  /** How sockets are made. */
  readonly socket?: SocketOptions | undefined;
  /**
   * How many connections each server has, 1 to 64. With 2 or more, keys whose values have
   * 64 KiB and more share all but the first, so that nothing small waits behind them;
   * calls on one key keep their order. Not for UDP.
   * @defaultValue 1
   */
  readonly connections?: number | undefined;
  /**
   * `"base64"` sends keys with blanks and control bytes in base64, by meta commands
   * (memcached 1.6.10); they may have 186 bytes. Other keys are sent as they are. The binary
   * protocol needs no such thing.
   */
  readonly encodeKeys?: "base64" | undefined;
  /**
   * Replaces keys of more than 250 bytes, or 186 in base64, by their SHA-256, behind the prefix.
   * @defaultValue false: they are a KeyError
   */
  readonly hashLongKeys?: boolean | undefined;
  /**
   * What stands before the servers; `"memcached"` is memcached's own proxy. Each hangs up on every
   * command that it does not know, so those are a NotSupportedError before anything is sent.
   */
  readonly proxy?: "twemproxy" | "mcrouter" | "memcached" | undefined;
}

export const TRANSPORT_OPTIONS: NamesOf<TransportOptions> = {
  binary: true,
  username: true,
  password: true,
  credentials: true,
  saslMechanism: true,
  plaintextCredentials: true,
  tls: true,
  socket: true,
  connections: true,
  encodeKeys: true,
  hashLongKeys: true,
  proxy: true,
};

const MAX_CONNECTIONS = 64;

const BUFFER_SIZES = ["recvBufferSize", "sendBufferSize"] as const;

const SOCKET_OPTIONS = namesOf<SocketOptions>({
  noDelay: true,
  keepAlive: true,
  keepAliveIdleMs: true,
  localAddress: true,
  family: true,
  lookup: true,
  recvBufferSize: true,
  sendBufferSize: true,
});

const PEM = /-----BEGIN .+-----\s*\n/;

/** What `tls.connect` takes, too, and what would lead elsewhere than to the client's servers. */
const CLIENTS_OWN = ["host", "port", "path", "socket", "session", "lookup", "timeout"] as const;

/** What the options of a transport come down to. */
export interface Transport {
  /** Makes the wire of one socket's life. */
  readonly wire: () => Wire;
  /** Whether that is the binary protocol's. */
  readonly binary: boolean;
  readonly greet: Greet | undefined;
  readonly socket: SocketOptions;
  readonly tls: TlsOptions | undefined;
  /** How many connections each server has. */
  readonly connections: number;
  /** What is to be done where credentials can be read on their way; undefined if none can. */
  readonly plaintext: PlaintextCredentials | undefined;
  /** The rules for keys. */
  readonly encodeKey: EncodeKey;
  /** What of it needs a stream, so that no server can be reached by UDP. */
  readonly needsStream: string | undefined;
  /** Whether keys that text cannot hold go in base64. */
  readonly base64Keys: boolean;
}

/** @throws OptionError */
export function transportOf(options: TransportOptions): Transport {
  const provide = providerOf(options);
  const mechanism = checkMechanism(options.saslMechanism, provide);
  const binary = checkBoolean(options.binary ?? false, "binary");
  const connections = checkInteger(options.connections ?? 1, "connections", 1, MAX_CONNECTIONS);
  const plaintext = plaintextChoice(options);
  const tls = checkTls(options.tls);
  const common = {
    socket: checkSocket(options.socket),
    tls,
    binary,
    connections,
    plaintext: provide && (!tls || tls.rejectUnauthorized === false) ? plaintext : undefined,
    needsStream: needsStream(options, { binary, provide, connections }),
    ...keyRules(options, binary),
  };
  if (binary) {
    if (options.proxy !== undefined) {
      throw new OptionError("proxy and binary do not go together; leave one out");
    }
    const greet = provide && saslAuthentication(provide, mechanism);
    return { ...common, wire: () => new BinaryWire(), greet };
  }
  if (mechanism !== undefined) {
    throw new OptionError("saslMechanism needs binary: true; the text protocol has no SASL");
  }
  const greet = provide && textAuthentication(provide);
  return { ...common, wire: textWire(options.proxy), greet };
}

/**
 * Whether a server can be reached in this way.
 * @throws OptionError
 */
export function checkWay(address: Address, { needsStream, socket }: Transport): void {
  if (isUdp(address)) {
    if (needsStream === undefined) return;
    throw new OptionError(`UDP, as in ${address.name}, does not go with ${needsStream}`);
  }
  const size = BUFFER_SIZES.find((name) => socket[name] !== undefined);
  if (size === undefined) return;
  throw new OptionError(
    `socket.${size} is for UDP alone, and ${address.name} is not reached by it: Node cannot set it for other sockets`,
  );
}

function needsStream(
  { tls, proxy }: TransportOptions,
  has: { readonly binary: boolean; readonly provide: unknown; readonly connections: number },
): string | undefined {
  if (has.binary) return "binary";
  if (tls) return "tls";
  if (has.provide) return "authentication";
  if (proxy !== undefined) return "proxy";
  return has.connections > 1 ? "connections" : undefined;
}

/** A mechanism that never sends the password has nothing to hide. */
function plaintextChoice(options: TransportOptions): PlaintextCredentials | undefined {
  const { saslMechanism = "PLAIN", plaintextCredentials = "warn" } = options;
  const choice = checkChoice(plaintextCredentials, "plaintextCredentials", PLAINTEXT_CHOICES);
  return saslMechanism === "PLAIN" ? choice : undefined;
}

function textWire(proxy: TransportOptions["proxy"]): () => Wire {
  if (proxy === undefined) return () => new TextWire();
  checkChoice(proxy, "proxy", ["twemproxy", "mcrouter", "memcached"]);
  return () => new ProxiedWire(proxy);
}

function keyRules(
  { encodeKeys, hashLongKeys = false }: TransportOptions,
  binary: boolean,
): Pick<Transport, "encodeKey" | "base64Keys"> {
  if (encodeKeys !== undefined) checkChoice(encodeKeys, "encodeKeys", ["base64"]);
  const base64Keys = encodeKeys === "base64" && !binary;
  const encode = binary ? encodeAnyKey : base64Keys ? encodeTextOrBinaryKey : encodeKey;
  const hashes = checkBoolean(hashLongKeys, "hashLongKeys");
  return { encodeKey: hashes ? hashingLongKeys(encode, base64Keys) : encode, base64Keys };
}

function providerOf(options: TransportOptions): CredentialsProvider | undefined {
  const { username, password, credentials } = options;
  if (credentials !== undefined) {
    checkFunction(credentials, "credentials");
    if (username === undefined && password === undefined) return credentials;
    throw new OptionError("Give credentials, or username and password, and not both");
  }
  if (username === undefined && password === undefined) return undefined;
  if (typeof username !== "string" || typeof password !== "string") {
    throw new OptionError("username and password must be two strings");
  }
  return () => ({ username, password });
}

function checkTls(tls: boolean | TlsOptions | undefined): TlsOptions | undefined {
  if (tls === undefined || tls === false) return undefined;
  if (tls === true) return {};
  if (typeof tls === "object" && tls !== null) {
    const foreign = CLIENTS_OWN.find((name) => Reflect.get(tls, name) !== undefined);
    if (foreign === undefined) return checkPem(tls);
    throw new OptionError(`tls takes no ${foreign}, which is the client's own to say`);
  }
  throw new OptionError(`tls must be true or an object for tls.connect, not ${kindOf(tls)}`);
}

/** `tls.connect` overlooks a `ca` that is none, and says of the others what nobody understands. */
function checkPem(tls: TlsOptions): TlsOptions {
  for (const name of ["ca", "cert", "key", "crl"] as const) {
    for (const part of [tls[name]].flat()) {
      if (typeof part !== "string" && !(part instanceof Uint8Array)) continue;
      if (part.length === 0 || PEM.test(Buffer.from(part).toString("latin1"))) continue;
      throw new OptionError(
        `tls.${name} must be PEM ("-----BEGIN …" and lines): what is in a file, not its path`,
      );
    }
  }
  return tls;
}

function checkSocket(socket: SocketOptions = {}): SocketOptions {
  checkOptions(socket, SOCKET_OPTIONS, "socket");
  const { noDelay, keepAlive, keepAliveIdleMs, localAddress, family, lookup } = socket;
  if (noDelay !== undefined) checkBoolean(noDelay, "socket.noDelay");
  if (keepAlive !== undefined) checkBoolean(keepAlive, "socket.keepAlive");
  if (keepAliveIdleMs !== undefined) checkDurationMs(keepAliveIdleMs, "socket.keepAliveIdleMs");
  if (localAddress !== undefined && isIP(localAddress) === 0) {
    throw new OptionError(`socket.localAddress must be an IP address, not ${show(localAddress)}`);
  }
  if (family !== undefined && ![0, 4, 6].includes(family)) {
    throw new OptionError(`socket.family must be 4, 6, or 0 for both, not ${show(family)}`);
  }
  for (const name of BUFFER_SIZES) {
    if (socket[name] !== undefined) checkInteger(socket[name], `socket.${name}`, 1, 2 ** 30);
  }
  if (lookup !== undefined) checkFunction(lookup, "socket.lookup");
  return socket;
}

function checkMechanism(
  name: MechanismName | undefined,
  provide: CredentialsProvider | undefined,
): MechanismName | undefined {
  if (name === undefined) return undefined;
  checkChoice(name, "saslMechanism", MECHANISM_NAMES);
  if (provide !== undefined) return name;
  throw new OptionError("saslMechanism needs username and password, or credentials");
}

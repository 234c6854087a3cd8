import { isIPv6 } from "node:net";
import { OptionError } from "../errors.js";
import { quote, show } from "../util/show.js";

/** Where a server is, and how much of the keys it gets. */
export interface Address {
  /** The socket's path for a unix socket, otherwise a host name or an address without brackets. */
  readonly host: string;
  /** 0 for a unix socket. */
  readonly port: number;
  /** Its share on a weighted ring. */
  readonly weight: number;
  /** How messages and results call it: `host:port`, `[v6]:port`, the path, or `udp:host:port`. */
  readonly name: string;
}

const UDP = "udp:";

export const DEFAULT_PORT = 11211;

const NEEDS_BRACKETS = 'has too many colons; an IPv6 address needs brackets, as in "[::1]:11211"';

/**
 * A server as pylibmc writes it: `"host"`, `"host:11211"`, `"host:11211:2"` with a
 * weight, `"[::1]:11211"`, `"/run/memcached.sock"`, `"udp:host:11211"`.
 * @throws OptionError that names what is wrong in the string
 */
export function parseAddress(text: string): Address {
  if (typeof text !== "string") {
    throw new OptionError(`A server must be a string such as "127.0.0.1:11211", not ${show(text)}`);
  }
  if (text.startsWith("/")) return unixAddress(text);
  if (text.startsWith(UDP)) return udpAddress(parseAddress(text.slice(UDP.length)));
  rejectForeign(text);
  if (text.includes("::") && !text.includes("[")) throw bad(text, NEEDS_BRACKETS);
  const { host, rest } = text.startsWith("[") ? bracketed(text) : plain(text);
  checkHost(text, host);
  if (host === "") throw bad(text, 'names no host; write "localhost" if you mean this machine');
  const fields = rest === "" ? [] : rest.slice(1).split(":");
  if (fields.length > 2) throw bad(text, NEEDS_BRACKETS);
  const port = fields[0] === undefined ? DEFAULT_PORT : number(text, "port", fields[0]);
  const weight = fields[1] === undefined ? 1 : number(text, "weight", fields[1]);
  return tcpAddress(host, port, weight);
}

/** An address over TCP from its parts, each already checked. */
export function tcpAddress(host: string, port: number, weight: number): Address {
  return { host, port, weight, name: host.includes(":") ? `[${host}]:${port}` : `${host}:${port}` };
}

/** What Linux has room for in a socket's address; Node cuts off what is more. */
const MAX_PATH_BYTES = 107;

/** A unix socket's address; the path is taken as it is. */
export function unixAddress(path: string, weight = 1): Address {
  if (path.includes("\0")) throw bad(path, "has a NUL byte in its path");
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_PATH_BYTES) {
    throw bad(path, `is a path of ${bytes} bytes; a unix socket's has ${MAX_PATH_BYTES} at most`);
  }
  return { host: path, port: 0, weight, name: path };
}

/** The same address reached by datagrams. */
export function udpAddress(address: Address): Address {
  if (isUnix(address) || isUdp(address)) throw bad(address.name, "cannot be reached by UDP");
  return { ...address, name: UDP + address.name };
}

export function isUdp({ name }: Pick<Address, "name">): boolean {
  return name.startsWith(UDP);
}

export function isUnix(address: Address): boolean {
  return address.port === 0;
}

function rejectForeign(text: string): void {
  if (text === "") throw bad(text, "is empty");
  rejectCredentials(text);
  if (text.includes(",")) throw bad(text, "has a comma; give each server as an element of its own");
  if (/[\s\p{Cc}]/u.test(text)) throw bad(text, "has whitespace or control characters");
  const scheme = /^(tcp|unix):/.exec(text)?.[1];
  if (scheme !== undefined) {
    throw bad(text, `starts with "${scheme}:"; write the host or the socket's path alone`);
  }
  if (/^memcacheds?:\/\//.test(text)) {
    throw bad(text, 'is a URL, which stands alone, for all servers: "memcached://host1,host2"');
  }
  if (/[?#]/.test(text)) {
    throw bad(text, 'has a "?" or "#"; options go into the client\'s second argument');
  }
  if (text.includes("/")) {
    throw bad(text, "has a slash; a unix socket needs its absolute path, and a URL its scheme");
  }
}

/** @throws OptionError for what may hold a password, which it does not show */
export function rejectCredentials(text: string): void {
  if (!text.includes("@")) return;
  throw new OptionError(
    'A server has an "@" in it; a user and a password go into one URL for all servers, as in "memcached://user:password@host", or into the options',
  );
}

function bracketed(text: string): { host: string; rest: string } {
  const close = text.indexOf("]");
  if (close < 0) throw bad(text, "opens a bracket that is not closed");
  const rest = text.slice(close + 1);
  if (rest !== "" && !rest.startsWith(":")) throw bad(text, "has something behind its bracket");
  return { host: text.slice(1, close), rest };
}

/** The longest name that DNS can hold. */
const MAX_HOST = 253;

/** What a name of DNS can have, of any script, and the underscore that some have beside it. */
export function checkHost(text: string, host: string): void {
  if (host.includes(":")) {
    if (isIPv6(host)) return;
    throw bad(
      text,
      "has a colon in its host, which is not an IPv6 address; its port is a part of its own",
    );
  }
  if (host.length > MAX_HOST) throw bad(text, `has a host of over ${MAX_HOST} characters`);
  const odd = /[^\p{L}\p{M}\p{N}._-]/u.exec(host)?.[0];
  if (odd !== undefined) throw bad(text, `has ${JSON.stringify(odd)} in its host`);
}

function plain(text: string): { host: string; rest: string } {
  const colon = text.indexOf(":");
  return colon < 0
    ? { host: text, rest: "" }
    : { host: text.slice(0, colon), rest: text.slice(colon) };
}

function number(text: string, what: "port" | "weight", digits: string): number {
  const value = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  if (value >= 1 && value <= 65535) return value;
  // What is no number may be the password of a user without a host.
  if (/[^\d-]/.test(digits)) throw new OptionError(`The ${what} of a server must be 1 to 65535`);
  throw bad(text, `has the ${what} ${quote(digits, 20)}; it must be 1 to 65535`);
}

function bad(text: string, fault: string): OptionError {
  return new OptionError(`The server ${quote(text, 100)} ${fault}`);
}

import {
  type Address,
  checkHost,
  DEFAULT_PORT,
  isUdp,
  parseAddress,
  rejectCredentials,
  tcpAddress,
  udpAddress,
  unixAddress,
} from "../connection/address.js";
import { OptionError } from "../errors.js";
import type { RingServer } from "../ring/ring.js";
import { checkBoolean, checkInteger } from "../util/check.js";
import { checkNames } from "../util/names.js";
import { show } from "../util/show.js";
import { parseServerList } from "./configuration/serverlist.js";

/** A server as an object, where a string will not do. */
export type ServerOptions =
  | {
      readonly host: string;
      readonly port?: number | undefined;
      readonly weight?: number | undefined;
      /** By UDP, as `"udp:host"`; for small values, without authentication and TLS. */
      readonly udp?: boolean | undefined;
    }
  | { readonly path: string; readonly weight?: number | undefined };

/** Servers as a client takes them: one string, a URL, or a list. */
export type Servers = string | readonly (string | ServerOptions)[];

/** What a URL can say of all its servers. */
export interface UrlOptions {
  readonly tls?: boolean;
  readonly username?: string;
  readonly password?: string;
}

const SERVER_OPTIONS: ReadonlySet<string> = new Set(["host", "port", "path", "weight", "udp"]);

/**
 * The servers of a list, in its order.
 * @throws OptionError for an empty list, or a server that cannot be read
 */
export function parseServers(servers: Servers): Address[] {
  const addresses = typeof servers === "string" ? fromText(servers) : fromList(servers);
  if (addresses.length === 0) {
    throw new OptionError('The list of servers is empty; give at least one, as "127.0.0.1:11211"');
  }
  return addresses;
}

function fromList(servers: readonly (string | ServerOptions)[]): Address[] {
  if (!Array.isArray(servers)) {
    throw new OptionError(
      `The servers must be a string or an array such as [{ host, port }], not ${show(servers)}`,
    );
  }
  return servers.map(parseServer);
}

/** @throws OptionError for something that is not a server */
export function parseServer(server: string | ServerOptions): Address {
  return typeof server === "object" && server !== null ? fromObject(server) : parseAddress(server);
}

/** A server as an object that {@link parseServers} reads as this one. */
export function serverOptions(server: RingServer & { readonly name?: string }): ServerOptions {
  const { host, port, name = "" } = server;
  const weight = Math.max(1, server.weight);
  if (port === 0) return { path: host, weight };
  return { host, port, weight, ...(isUdp({ name }) && { udp: true }) };
}

function fromText(text: string): Address[] {
  const url = parseUrl(text);
  if (url === undefined) {
    if (text.startsWith("/") || !text.includes(",")) return [parseAddress(text)];
    rejectCredentials(text);
    return fromList(parseServerList(text).map(serverOptions));
  }
  if (url.hosts.startsWith("/")) return [unixAddress(url.hosts)];
  return url.hosts.replace(/\/$/, "").split(",").map(parseAddress);
}

/**
 * Options with what the servers' URL says beside where they are; what the options say
 * themselves goes first.
 * @throws OptionError if they take the TLS from a URL that asks for it
 */
export function withUrl<Options extends { readonly tls?: unknown }>(
  servers: Servers,
  options: Options,
): Options & UrlOptions {
  const url = urlOptions(servers);
  if (url.tls === true && options.tls === false) {
    throw new OptionError('The URL begins with "memcacheds://", which is TLS, and tls is false');
  }
  const merged: Record<string, unknown> = { ...url };
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined) merged[name] = value;
  }
  return merged as Options & UrlOptions;
}

/** What the servers' URL says beside where they are; empty for servers without a URL. */
function urlOptions(servers: Servers): UrlOptions {
  const url = typeof servers === "string" ? parseUrl(servers) : undefined;
  const tls = url?.isSecure ? { tls: true } : {};
  if (url?.user === undefined) return tls;
  if (/@.*,/.test(url.user)) {
    throw new OptionError(
      'A server\'s URL has one user and one password for all its servers, in which "@" and "," are percent-encoded: "memcached://user:password@host1,host2"',
    );
  }
  const [username = "", password] = url.user.split(/:(.*)/s);
  if (password === undefined) {
    throw new OptionError("A server's URL has a user without a password; write user:password@host");
  }
  return { ...tls, username: decoded(username), password: decoded(password) };
}

/** What a client was made with, of what a URL could say. */
export type ClientOfUrl = { readonly [Name in keyof UrlOptions]?: unknown };

/**
 * Servers for a client that is there, or with others: a URL of theirs changes nothing about it.
 * @throws OptionError if it should
 */
export function checkUrl(servers: Servers, client: ClientOfUrl): void {
  for (const [option, value] of Object.entries(urlOptions(servers))) {
    const own = client[option as keyof UrlOptions];
    if (own === value || (option === "tls" && own)) continue;
    throw new OptionError(
      `The URL has another ${option} than the client, which keeps its own; make a new client`,
    );
  }
}

interface Url {
  readonly isSecure: boolean;
  readonly user: string | undefined;
  readonly hosts: string;
}

/** `memcached://user:password@host,host`, its parts still as they were written. */
function parseUrl(text: string): Url | undefined {
  const match = /^(\w+):\/\/(?:(.*)@)?(.*)$/s.exec(text);
  if (match === null) return undefined;
  const [, scheme, user, hosts] = match;
  if (scheme === "memcached" || scheme === "memcacheds") {
    return { isSecure: scheme === "memcacheds", user, hosts: hosts! };
  }
  throw new OptionError(
    `A server's URL must begin with "memcached://" or "memcacheds://", not "${scheme}://"`,
  );
}

/** @throws OptionError that does not show the text, which may be a password */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new OptionError("The user or password of a server's URL is not percent-encoded right");
  }
}

function fromObject(server: ServerOptions): Address {
  checkNames(server, SERVER_OPTIONS, "A server");
  const { weight = 1 } = server;
  checkInteger(weight, "A server's weight", 1, 65535);
  if ("path" in server) {
    if ("host" in server || "port" in server || "udp" in server) {
      throw new OptionError("A server has either a path or a host and a port");
    }
    return unixAddress(checkText(server.path, "path"), weight);
  }
  const written = checkText(server.host, "host");
  rejectCredentials(written);
  const host = written.replace(/^\[(.*)\]$/, "$1");
  checkHost(host, host);
  const port = checkInteger(server.port ?? DEFAULT_PORT, "A server's port", 1, 65535);
  const address = tcpAddress(host, port, weight);
  return checkBoolean(server.udp ?? false, "udp") ? udpAddress(address) : address;
}

function checkText(value: unknown, name: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw new OptionError(
    `A server's ${name} must be a string that is not empty, not ${show(value)}`,
  );
}

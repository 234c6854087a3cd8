import {
  type Address,
  DEFAULT_PORT,
  parseAddress,
  tcpAddress,
  unixAddress,
} from "../connection/address.js";
import { OptionError } from "../errors.js";
import type { RingServer } from "../ring/ring.js";
import { checkInteger, checkNames, show } from "./check.js";
import { parseServerList } from "./serverlist.js";

/** A server as an object, where a string will not do. */
export type ServerOptions =
  | { readonly host: string; readonly port?: number; readonly weight?: number }
  | { readonly path: string; readonly weight?: number };

/** Servers as a client takes them: one string, a URL, or a list. */
export type Servers = string | readonly (string | ServerOptions)[];

const SERVER_OPTIONS: ReadonlySet<string> = new Set(["host", "port", "path", "weight"]);

/**
 * The servers of a list, in its order.
 * @throws OptionError for an empty list, or a server that is none
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
    throw new OptionError(`The servers must be a string or an array, not ${show(servers)}`);
  }
  return servers.map(parseServer);
}

/** @throws OptionError for what is no server */
export function parseServer(server: string | ServerOptions): Address {
  return typeof server === "object" && server !== null ? fromObject(server) : parseAddress(server);
}

/** A server as an object that {@link parseServers} reads as this one. */
export function serverOptions({ host, port, weight }: RingServer): ServerOptions {
  const share = Math.max(1, weight);
  return port === 0 ? { path: host, weight: share } : { host, port, weight: share };
}

function fromText(text: string): Address[] {
  const url = /^(\w+):\/\/(.*)$/s.exec(text);
  if (url === null) {
    return text.includes(",")
      ? fromList(parseServerList(text).map(serverOptions))
      : [parseAddress(text)];
  }
  const [, scheme, rest] = url;
  if (scheme !== "memcached") {
    throw new OptionError(`A server's URL must begin with "memcached://", not "${scheme}://"`);
  }
  const authority = rest!.replace(/\/$/, "");
  if (authority.includes("@")) {
    throw new OptionError("A URL with credentials is not supported by this version");
  }
  return authority.split(",").map(parseAddress);
}

function fromObject(server: ServerOptions): Address {
  checkNames(server, SERVER_OPTIONS, "A server");
  const { weight = 1 } = server;
  checkInteger(weight, "A server's weight", 1, 65535);
  if ("path" in server) {
    if ("host" in server || "port" in server) {
      throw new OptionError("A server has either a path or a host and a port");
    }
    return unixAddress(checkText(server.path, "path"), weight);
  }
  const host = checkText(server.host, "host").replace(/^\[(.*)\]$/, "$1");
  return tcpAddress(
    host,
    checkInteger(server.port ?? DEFAULT_PORT, "A server's port", 1, 65535),
    weight,
  );
}

function checkText(value: unknown, name: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw new OptionError(`A server's ${name} must be a string, not ${show(value)}`);
}

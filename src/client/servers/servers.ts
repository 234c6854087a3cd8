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
} from "../../connection/address.js";
import { OptionError } from "../../errors.js";
import type { RingServer } from "../../ring/ring.js";
import { checkBoolean, checkInteger } from "../../util/check.js";
import { checkNames } from "../../util/names.js";
import { show } from "../../util/show.js";
import { parseServerList } from "./serverlist.js";
import { parseUrl } from "./url.js";

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

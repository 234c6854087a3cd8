import type { ServerOptions, Servers } from "../client/servers/servers.js";
import { DEFAULT_PORT } from "../connection/address.js";
import { NoServerError } from "../errors.js";
import { checkDurationMs, checkInteger, checkOptions } from "../util/check.js";
import { namesOf } from "../util/names.js";
import { type Look, polling } from "./polling.js";
import {
  checkName,
  checkResolver,
  DEFAULT_INTERVAL_MS,
  recordsOf,
  resolving,
} from "./resolving.js";

/** What asks for addresses: a `Resolver` of `node:dns/promises`, or anything like it. */
export interface AddressResolver {
  /** IPv4 addresses, from A records. */
  resolve4(name: string): Promise<string[]>;
  /** IPv6 addresses, from AAAA records. */
  resolve6(name: string): Promise<string[]>;
}

/** How a name's addresses are asked for. */
export interface DnsAddressesOptions {
  /** The port of every server. @defaultValue 11211 */
  readonly port?: number | undefined;
  /** Milliseconds from one question to the next, give or take a quarter. @defaultValue 30000 */
  readonly intervalMs?: number | undefined;
  /** Who is asked. @defaultValue the machine's DNS servers */
  readonly resolver?: AddressResolver | undefined;
}

const OPTIONS = namesOf<DnsAddressesOptions>({ port: true, intervalMs: true, resolver: true });

/**
 * Every address of a name, IPv4 and IPv6, is a server, in the order of libmemcached's
 * `_sort_hosts`: a Kubernetes headless service, for instance.
 * @param name - in full, such as `memcached.default.svc.cluster.local`: neither /etc/hosts nor
 * search domains are looked at
 * @throws OptionError for an unknown option, or one out of its range
 */
export function dnsAddresses(
  name: string,
  options: DnsAddressesOptions = {},
): AsyncIterable<Servers> {
  checkOptions(options, OPTIONS, "dnsAddresses");
  const { intervalMs = DEFAULT_INTERVAL_MS, resolver } = options;
  const port = checkInteger(options.port ?? DEFAULT_PORT, "port", 1, 65535);
  checkName(name);
  checkResolver(resolver, ["resolve4", "resolve6"]);
  return polling(checkDurationMs(intervalMs, "intervalMs"), (_, ended): Look => {
    const asked = resolver ?? resolving(ended);
    return () => addressesOf(asked, name, port);
  });
}

/** All or none: half of the addresses would take the other half's servers away. */
async function addressesOf(
  resolver: AddressResolver,
  name: string,
  port: number,
): Promise<ServerOptions[]> {
  const found = await Promise.all([
    recordsOf(name, resolver.resolve4(name)),
    recordsOf(name, resolver.resolve6(name)),
  ]);
  const hosts = [...new Set(found.flat())].sort();
  if (hosts.length === 0) throw new NoServerError(`DNS knows no address of ${name}`);
  return hosts.map((host) => ({ host, port }));
}

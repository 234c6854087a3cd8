import type { SrvRecord } from "node:dns";
import type { ServerOptions, Servers } from "../client/servers/servers.js";
import { NoServerError } from "../errors.js";
import { checkDurationMs, checkOptions } from "../util/check.js";
import { namesOf } from "../util/names.js";
import { type Look, polling } from "./polling.js";
import {
  checkName,
  checkResolver,
  DEFAULT_INTERVAL_MS,
  recordsOf,
  resolving,
} from "./resolving.js";

/** What asks for services: a `Resolver` of `node:dns/promises`, or anything like it. */
export interface ServiceResolver {
  /** SRV records. */
  resolveSrv(name: string): Promise<SrvRecord[]>;
}

/** How a service is asked for. */
export interface DnsServiceOptions {
  /** Milliseconds from one question to the next, give or take a quarter. @defaultValue 30000 */
  readonly intervalMs?: number | undefined;
  /** Who is asked. @defaultValue the machine's DNS servers */
  readonly resolver?: ServiceResolver | undefined;
}

const OPTIONS = namesOf<DnsServiceOptions>({ intervalMs: true, resolver: true });

/**
 * The servers that a service's SRV records name (RFC 2782), each with its own port, in the
 * order of libmemcached's `_sort_hosts`. Those with the lowest priority number are the
 * servers; others would be asked only if none of these were there. Weights are brought to
 * their lowest terms, so that equal ones are all 1.
 * @param name - in full, such as `_memcached._tcp.memcached.default.svc.cluster.local`
 * @throws OptionError for an unknown option, or one out of its range
 */
export function dnsService(name: string, options: DnsServiceOptions = {}): AsyncIterable<Servers> {
  checkOptions(options, OPTIONS, "dnsService");
  const { intervalMs = DEFAULT_INTERVAL_MS, resolver } = options;
  checkName(name);
  checkResolver(resolver, ["resolveSrv"]);
  return polling(checkDurationMs(intervalMs, "intervalMs"), (_, ended): Look => {
    const asked = resolver ?? resolving(ended);
    return async () => serversOf(name, await recordsOf(name, asked.resolveSrv(name)));
  });
}

function serversOf(name: string, records: readonly SrvRecord[]): ServerOptions[] {
  // A record for the root says that there is decidedly no such service.
  const offered = records.filter((record) => record.name !== "" && record.name !== ".");
  if (offered.length === 0) throw new NoServerError(`DNS knows no server of the service ${name}`);
  const first = Math.min(...offered.map(({ priority }) => priority));
  const chosen = offered.filter(({ priority }) => priority === first).sort(byHostAndPort);
  const unit = chosen.map(shareOf).reduce(greatestCommonDivisor);
  return chosen.map((record) => ({
    host: record.name,
    port: record.port,
    weight: shareOf(record) / unit,
  }));
}

/** The weight 0 asks for a very small share, of which 1 is the smallest that a ring has. */
function shareOf({ weight }: SrvRecord): number {
  return Math.max(1, weight);
}

function byHostAndPort(a: SrvRecord, b: SrvRecord): number {
  if (a.name === b.name) return a.port - b.port;
  return a.name < b.name ? -1 : 1;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

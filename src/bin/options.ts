import { parseArgs } from "node:util";
import { messageOf, OptionError } from "../errors.js";
import type { Compat, Credentials, MemcachedServerOptions, ServerTls } from "../testing/index.js";
import { extended } from "./extended.js";
import { contents } from "./file.js";

/** What the command line asks for. */
export interface Invocation {
  readonly show: "help" | "version" | undefined;
  readonly server: MemcachedServerOptions;
  /** A file to write the process id to. */
  readonly pidFile: string | undefined;
  /** Permissions of the unix socket. */
  readonly socketMode: number | undefined;
}

const MEGABYTE = 1024 * 1024;

/** memcached's own letters and long names. */
const OPTIONS = {
  port: { type: "string", short: "p" },
  "udp-port": { type: "string", short: "U" },
  "unix-socket": { type: "string", short: "s" },
  "unix-mask": { type: "string", short: "a" },
  "enable-shutdown": { type: "boolean", short: "A" },
  listen: { type: "string", short: "l" },
  user: { type: "string", short: "u" },
  "memory-limit": { type: "string", short: "m" },
  "disable-evictions": { type: "boolean", short: "M" },
  "conn-limit": { type: "string", short: "c" },
  verbose: { type: "boolean", short: "v", multiple: true },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "V" },
  pidfile: { type: "string", short: "P" },
  "slab-growth-factor": { type: "string", short: "f" },
  "slab-min-size": { type: "string", short: "n" },
  threads: { type: "string", short: "t" },
  delimiter: { type: "string", short: "D" },
  "max-reqs-per-event": { type: "string", short: "R" },
  "disable-cas": { type: "boolean", short: "C" },
  "listen-backlog": { type: "string", short: "b" },
  protocol: { type: "string", short: "B" },
  "max-item-size": { type: "string", short: "I" },
  "enable-sasl": { type: "boolean", short: "S" },
  "disable-flush-all": { type: "boolean", short: "F" },
  "disable-dumping": { type: "boolean", short: "X" },
  "disable-watch": { type: "boolean", short: "W" },
  "auth-file": { type: "string", short: "Y" },
  "enable-ssl": { type: "boolean", short: "Z" },
  extended: { type: "string", short: "o", multiple: true },
  compat: { type: "string" },
  cluster: { type: "string" },
} as const;

/** What memcached has and this server does not, and why. */
const REFUSED: Readonly<Record<string, string>> = {
  "-d": "it does not go into the background; start it there with your shell or service manager",
  "-k": "it cannot lock the memory of its process",
  "-L": "it has no large memory pages",
  "-r": "core files are the shell's business (ulimit -c)",
  "-e": "its items do not outlive the process",
  "-N": "it does not choose its network queues",
};

/**
 * Reads a command line.
 * @throws OptionError for an option that is unknown or out of its range
 */
export function readCommandLine(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Invocation {
  const values = parse(argv);
  const extra = extended(values.extended ?? []);
  const server: MemcachedServerOptions = {
    ...extra.server,
    ...listening(values),
    ...limits(values),
    ...switches(values),
    sasl: values["enable-sasl"] ? saslUsers(environment["MEMCACHED_SASL_PWDB"]) : undefined,
    asciiAuth: values["auth-file"] === undefined ? undefined : usersOf(values["auth-file"]),
    tls: values["enable-ssl"] ? withCertificate(extra.tls) : undefined,
  };
  const mask = values["unix-mask"];
  return {
    show: values.help ? "help" : values.version ? "version" : undefined,
    server,
    pidFile: values.pidfile,
    socketMode: mask === undefined ? undefined : octal(mask),
  };
}

type Values = ReturnType<typeof parse>;

function parse(argv: readonly string[]) {
  for (const argument of argv) {
    if (!Object.hasOwn(REFUSED, argument)) continue;
    throw new OptionError(`${argument} is not possible here: ${REFUSED[argument]}`);
  }
  try {
    return parseArgs({ args: withNegatives(argv), options: OPTIONS, allowPositionals: false })
      .values;
  } catch (error) {
    const words = messageOf(error);
    throw new OptionError(`${words.split(". ")[0]}; -h lists the options`, { cause: error });
  }
}

/** `-p -1` as one word, since the second would be taken for an option. */
function withNegatives(argv: readonly string[]): string[] {
  const words: string[] = [];
  for (const word of argv) {
    const last = words.at(-1) ?? "";
    if (word !== "-1" || !/^(-[pU]|--(udp-)?port)$/.test(last)) words.push(word);
    else words.splice(-1, 1, last + (last.startsWith("--") ? "=" : "") + word);
  }
  return words;
}

function listening(values: Values): MemcachedServerOptions {
  const { listen, "unix-socket": path } = values;
  if (values.port === "0" && path === undefined) {
    throw new OptionError("-p 0 turns TCP off and needs -s here; -p -1 takes a free port");
  }
  if (listen?.includes(",") === true) {
    throw new OptionError("-l takes one address here; start a server for each");
  }
  const udp = values["udp-port"] ?? "0";
  // A UDP port alone is the TCP port as well.
  const tcp = values.port ?? (udp === "0" ? "11211" : udp);
  const [, host = listen, port = tcp] =
    /^(?:notls:)?(\[[^\]]*\]|[^:]*):(\d+)$/.exec(listen ?? "") ?? [];
  return {
    host: host?.replace(/^\[(.*)\]$/, "$1"),
    port: portOf("-p", port),
    path,
    udpPort: udp === "0" ? undefined : portOf("-U", udp),
  };
}

/** A port; -1 takes a free one. */
function portOf(letter: string, text: string): number {
  return text === "-1" ? 0 : count(letter, text, 0, 65535);
}

function limits(values: Values): MemcachedServerOptions {
  const number = (letter: string, text: string | undefined) =>
    text === undefined ? undefined : count(letter, text, 1, 2 ** 31 - 1);
  const megabytes = number("-m", values["memory-limit"]);
  const factor = values["slab-growth-factor"];
  const itemSizeMax =
    values["max-item-size"] === undefined ? undefined : size(values["max-item-size"]);
  if (itemSizeMax !== undefined && itemSizeMax > ((megabytes ?? 64) * MEGABYTE) / 2) {
    throw new OptionError("-I must not be more than half of the memory (-m)");
  }
  number("-t", values.threads);
  return {
    memoryLimit: megabytes === undefined ? undefined : megabytes * MEGABYTE,
    maxConnections: number("-c", values["conn-limit"]),
    backlog: number("-b", values["listen-backlog"]),
    requestsPerEvent: number("-R", values["max-reqs-per-event"]),
    chunkSize: number("-n", values["slab-min-size"]),
    growthFactor: factor === undefined ? undefined : Number(factor),
    itemSizeMax,
    prefixDelimiter: values.delimiter,
  };
}

function switches(values: Values): MemcachedServerOptions {
  const { protocol = "auto", compat } = values;
  if (protocol !== "auto" && protocol !== "ascii" && protocol !== "binary") {
    throw new OptionError(`-B ${protocol} is unknown; use auto, ascii or binary`);
  }
  return {
    protocol,
    // The server itself refuses a release that it does not know.
    compat: compat as Compat | undefined,
    cluster: values.cluster === undefined ? undefined : clusterOf(values.cluster),
    evict: values["disable-evictions"] !== true,
    cas: values["disable-cas"] !== true,
    flushAll: values["disable-flush-all"] !== true,
    dump: values["disable-dumping"] !== true,
    watch: values["disable-watch"] !== true,
    shutdown: values["enable-shutdown"] === true,
  };
}

function clusterOf(list: string): string[] {
  const servers = list.split(",").filter((server) => server !== "");
  const wrong = servers.find((server) => !/^[^\s|]+:\d+$|^[^\s|]*\|[^\s|]*\|\d+$/.test(server));
  if (wrong === undefined) return servers;
  throw new OptionError(`--cluster takes host:port,host:port,…, and ${wrong} is not one`);
}

function count(letter: string, text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new OptionError(`${letter} must be a number between ${least} and ${most}, not ${text}`);
}

/** Bytes, with `k` for 1024 or `m` for 1024 times as many. */
function size(text: string): number {
  const match = /^(\d+)([kKmM]?)$/.exec(text);
  if (match === null) throw new OptionError(`-I must be a size such as 512k or 2m, not ${text}`);
  const unit = { "": 1, k: 1024, m: MEGABYTE }[match[2]!.toLowerCase()] ?? 1;
  return Number(match[1]) * unit;
}

function octal(text: string): number {
  if (!/^[0-7]{1,4}$/.test(text)) throw new OptionError(`-a must be octal, not ${text}`);
  return Number.parseInt(text, 8);
}

/** A file of lines `user:password`. */
function usersOf(path: string): Credentials {
  const lines = contents(path).split("\n");
  const users = lines
    .map((line) => /^([^:]+):(.*?)\r?$/.exec(line))
    .filter((found) => found !== null);
  if (users.length === 0) throw new OptionError(`${path} has no line user:password`);
  return Object.fromEntries(users.map(([, user, password]) => [user!, password!]));
}

function saslUsers(path: string | undefined): Credentials {
  if (path !== undefined) return usersOf(path);
  throw new OptionError("-S needs a file of lines user:password, named in MEMCACHED_SASL_PWDB");
}

function withCertificate(tls: ServerTls): ServerTls {
  if (tls.cert !== undefined) return { ...tls, key: tls.key ?? tls.cert };
  throw new OptionError("-Z needs a certificate: -o ssl_chain_cert=<file>,ssl_key=<file>");
}

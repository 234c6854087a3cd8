import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { Workload } from "./load/workload.js";
import { NPM_PEERS, type Subject } from "./peers/registry.js";

/** A subject and what it is measured with. */
export interface Entry {
  readonly subject: Subject;
  readonly version: string;
  /** The version of the Node that runs it, where there are several. */
  readonly node?: string;
  /** Whether it can carry out a workload. */
  readonly runs: (workload: Workload) => boolean;
}

/** The servers that there are to measure with. */
export interface Servers {
  /** `host:port` of three memcacheds; all but the ring use the first. */
  readonly memcached: readonly [string, string, string];
  /** Where a redis listens, if there is one. */
  readonly redis: string | undefined;
}

/** This client, its variants, the npm clients, those of other worlds, and the floor. */
export function allEntries(servers: Servers): Entry[] {
  const [server] = servers.memcached;
  const one = [server];
  const entries = [
    ...ownEntries(servers),
    ...NPM_PEERS.map((peer) => entry({ name: peer, peer, servers: one }, npmVersion(peer))),
  ];
  const pylibmc = pylibmcVersion();
  if (pylibmc !== undefined)
    entries.push(entry({ name: "pylibmc", peer: "pylibmc", servers: one }, pylibmc, isSynchronous));
  if (servers.redis !== undefined) {
    const redis = [servers.redis];
    entries.push(
      entry({ name: "ioredis", peer: "ioredis", servers: redis }, npmVersion("ioredis")),
    );
  }
  entries.push(
    entry({ name: "floor", peer: "floor", servers: one }, process.version),
    entry(
      { name: "floor ring of 3", peer: "floor", servers: servers.memcached },
      process.version,
      isConcurrent,
    ),
    entry({ name: "nothing", peer: "nothing", servers: one }, process.version),
  );
  return entries;
}

function ownEntries({ memcached }: Servers): Entry[] {
  const one = memcached.slice(0, 1);
  return [
    ownEntry("tslibmc", one, {}),
    ownEntry("tslibmc ring of 3", memcached, { behaviors: { ketama: true } }, isConcurrent),
    ownEntry("tslibmc binary wire", one, { binary: true }, isConcurrent),
  ];
}

/** This checkout's client with some options. */
export function ownEntry(
  name: string,
  servers: readonly string[],
  options: object,
  runs?: (workload: Workload) => boolean,
): Entry {
  const build = buildOf(process.cwd());
  return entry({ name, peer: "tslibmc", build, servers, options }, ownVersion(), runs);
}

/** Two checkouts of this client; the first stands there twice, which shows what noise does. */
export function comparedEntries(servers: Servers, ref: string, checkout: string): Entry[] {
  const one = servers.memcached.slice(0, 1);
  const build = buildOf(process.cwd());
  return [
    entry({ name: "tslibmc", peer: "tslibmc", servers: one, build }, ownVersion()),
    entry({ name: "tslibmc again", peer: "tslibmc", servers: one, build }, ownVersion()),
    entry({ name: ref, peer: "tslibmc", servers: one, build: buildOf(checkout) }, ref),
  ];
}

function entry(subject: Subject, version: string, runs = (_: Workload) => true): Entry {
  return { subject, version, runs };
}

/** pylibmc waits for each answer; only sets it can bundle, by set_multi. */
function isSynchronous({ kind, inFlight }: Workload): boolean {
  return inFlight === 1 || kind === "set" || kind === "object";
}

function isConcurrent({ kind, inFlight }: Workload): boolean {
  return inFlight > 1 && (kind === "get" || kind === "set" || kind === "getMulti");
}

/** The address of a checkout's ES modules. */
export function buildOf(checkout: string): string {
  return pathToFileURL(`${checkout}/dist/esm/index.js`).href;
}

export function ownVersion(): string {
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  const commit = output("git", ["describe", "--always", "--dirty"]);
  return commit === undefined ? version : `${version} (${commit})`;
}

export function npmVersion(name: string): string {
  const manifest = readFileSync(`bench/node_modules/${name}/package.json`, "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

function pylibmcVersion(): string | undefined {
  const program = "import pylibmc; print(pylibmc.__version__)";
  return output(process.env["PYTHON"] ?? "/usr/bin/python3", ["-c", program]);
}

/** What a command prints, or undefined where it does not run. */
export function output(command: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(command, args, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return undefined;
  }
}

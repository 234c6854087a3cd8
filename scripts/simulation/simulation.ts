import { Client } from "../../src/index.js";
import { VirtualClock } from "./clock.js";
import { type FailureOptions, failuresOf, KINDS, schedule } from "./failures.js";
import { Network, type NetworkOptions } from "./network.js";
import { Placing } from "./placing.js";
import { gutterSize, type Policy, policies } from "./policies.js";
import { itemOf, nameOf, Programs, type ProgramsOptions } from "./programs.js";
import { Random } from "./random.js";

/** What is simulated. */
export interface Scenario extends ProgramsOptions, NetworkOptions, FailureOptions {
  readonly servers: number;
  readonly clients: number;
  /** Failures in a row that make a server dead, and seconds that it stays so at least. */
  readonly failureLimit: number;
  readonly deadTimeout: number;
}

export const SCENARIO: Scenario = {
  seed: 1,
  servers: 1000,
  clients: 4,
  seconds: 300,
  callsPerSecond: 4000,
  keys: 100_000,
  zipf: 0.9,
  changes: 0.05,
  ttl: 300,
  databaseMs: 10,
  latencyMs: 0.2,
  slowMs: 300,
  mtbf: 1800,
  mttr: 30,
  kinds: KINDS,
  failureLimit: 2,
  deadTimeout: 10,
};

/** What came of a policy. Shares are from 0 to 1. */
export interface Figures {
  readonly policy: string;
  /** Of the reads, how many were answered, by a value or a miss. */
  readonly reads: number;
  /** Of the deletions and fills, how many were done. */
  readonly deletions: number;
  readonly fills: number;
  /** Of all reads, how many were hits. */
  readonly hits: number;
  /** Of the hits, how many were older than a change that was over. */
  readonly stale: number;
  /** How long a read took, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  /** Of the keys asked for, how many were sent to a server that is not theirs at any time. */
  readonly moved: number;
  /** Attempts to connect, and probes sent, by a client in a second. */
  readonly connects: number;
  readonly probes: number;
  /** Hits that were another key's; keys sent elsewhere for no reason; calls never settled. All are to be 0. */
  readonly wrong: number;
  readonly misplaced: number;
  readonly unsettled: number;
  readonly calls: number;
  readonly failures: number;
}

/** The policies that can be simulated. */
export function policiesFor(scenario: Scenario): Policy[] {
  return policies(gutterOf(scenario).map(serverName));
}

/** Lives through the scenario with the whole library on simulated time and a simulated network. */
export async function simulate(policy: Policy, scenario: Scenario): Promise<Figures> {
  const { seed, seconds, keys } = scenario;
  const hosts = Array.from({ length: scenario.servers }, (_, n) => hostOf(n));
  const everyHost = [...hosts, ...gutterOf(scenario)];
  const positions = new Map(everyHost.map((host, position) => [serverName(host), position]));
  using clock = new VirtualClock();
  const placing = new Placing(clock, policy, hosts, keys);
  let probes = 0;
  using network = new Network(
    clock,
    new Random(seed + 1),
    everyHost,
    scenario,
    (client, position, command) => {
      if (command.verb === "version") probes++;
      // What a server that is back has missed is deleted there, also where it stood in for another.
      else if (command.verb === "delete" && policy.options.rejoin === "delete") return;
      else if (command.verb !== "get") placing.sent(client, position, command.key);
      else for (const key of command.keys) placing.sent(client, position, key);
    },
  );
  clock.install(new Random(seed + 2).next);
  network.install();

  fillCaches(network, placing, scenario);
  const addresses = Array.from({ length: scenario.clients }, (_, n) => `10.255.0.${n + 1}`);
  const clients = addresses.map((address) => {
    const client = connect(address, hosts, policy, scenario);
    client.on("health", ({ server, state }) =>
      placing.healthChanged(
        address,
        positions.get(server)!,
        state === "dead" || state === "returning",
      ),
    );
    return client;
  });
  const failures = everyHost.flatMap((_, position) => failuresOf(position, addresses, scenario));
  for (const failure of failures) schedule(failure, network, clock);

  const programs = new Programs(clock, clients, scenario);
  const began = network.attempts;
  programs.start(seconds);
  await clock.pass(seconds * 1000);
  const attempts = network.attempts - began;
  const sentProbes = probes;
  await clock.pass(10_000);
  const closed = Promise.all(clients.map((client) => client.close()));
  await clock.pass(10_000);
  await closed;

  return {
    ...figuresOf(programs, placing),
    policy: policy.name,
    connects: attempts / clients.length / seconds,
    probes: sentProbes / clients.length / seconds,
    failures: failures.length,
  };
}

/** What became of the programs' calls. */
function figuresOf(
  programs: Programs,
  placing: Placing,
): Omit<Figures, "policy" | "connects" | "probes" | "failures"> {
  const { reads, fills, changes, hits, stale, wrong, latency } = programs;
  const done = ({ started, failed }: typeof reads) => 1 - failed / Math.max(1, started);
  const ms = (share: number) => latency.percentile(share) / 1000;
  const tallies = [reads, fills, changes];
  return {
    reads: done(reads),
    deletions: done(changes),
    fills: done(fills),
    hits: hits / Math.max(1, reads.started),
    stale: stale / Math.max(1, hits),
    p50: ms(0.5),
    p99: ms(0.99),
    p999: ms(0.999),
    max: latency.max / 1000,
    moved: placing.moved,
    wrong,
    misplaced: placing.misplaced,
    unsettled: tallies.reduce((sum, { started, settled }) => sum + started - settled, 0),
    calls: tallies.reduce((sum, { started }) => sum + started, 0),
  };
}

/** As if the programs had run for long: each item is where it belongs, and as old as may be. */
function fillCaches(network: Network, placing: Placing, { seed, keys, ttl }: Scenario): void {
  const random = new Random(seed + 3);
  const { homes } = placing;
  for (let key = 0; key < keys; key++) {
    const item = { flags: "16", ttl: ttl * random.next(), data: itemOf(key, 0) };
    for (let position = homes[key]!; placing.holds(position, key); position++) {
      network.places[position]!.server.store(nameOf(key), item);
    }
  }
}

function connect(
  localAddress: string,
  hosts: readonly string[],
  { options }: Policy,
  { failureLimit, deadTimeout }: Scenario,
): Client {
  const behaviors = { ketama: true, failure_limit: failureLimit, dead_timeout: deadTimeout };
  return new Client(hosts.map(serverName), {
    ...options,
    socket: { localAddress },
    behaviors: { ...behaviors, ...options.behaviors },
  });
}

function gutterOf({ servers }: Scenario): string[] {
  return Array.from({ length: gutterSize(servers) }, (_, n) => hostOf(servers + n));
}

function hostOf(position: number): string {
  return `10.0.${position >> 8}.${position & 255}`;
}

function serverName(host: string): string {
  return `${host}:11211`;
}

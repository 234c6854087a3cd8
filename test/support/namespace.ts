import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What the kernel calls the wire's other end, inside. */
const INSIDE = "wire0";

/** How many networks of four addresses there are in 198.18.0.0/15, which is for tests (RFC 2544). */
const NETWORKS = 2 ** 15;

let opened = 0;

/**
 * A network namespace of its own for a server, with one wire to this machine that can be
 * cut: packets are dropped then, and nobody is told.
 *
 * ```
 *     this machine  198.18.x.1 ────── 198.18.x.2  the namespace
 * ```
 *
 * A process that waits for the end of its input keeps it, so that nothing is left behind
 * however this one ends.
 */
export class Namespace implements AsyncDisposable {
  /** The address in it. */
  readonly host: string;
  /** What runs a command in it. */
  readonly within: readonly string[];
  readonly #keeper: ChildProcess;
  readonly #network: Network;

  private constructor(keeper: ChildProcess, network: Network) {
    this.#keeper = keeper;
    this.#network = network;
    this.host = network.inside;
    this.within = ["nsenter", "-t", String(keeper.pid), "-n", "--"];
  }

  /** @throws where there is no `ip`, `unshare` or `nsenter`, or no right to use them */
  static async open(): Promise<Namespace> {
    // It says so when it has left this machine's network.
    const keeper = spawn("unshare", ["-n", "sh", "-c", "echo && exec cat"], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    const refused = once(keeper, "exit").then(() => {
      throw new Error("no network namespace can be made here");
    });
    await Promise.race([once(keeper.stdout, "data"), refused]);
    refused.catch(() => {});
    const namespace = new Namespace(keeper, networkOf(process.pid * 4 + opened++));
    try {
      await namespace.#wire();
    } catch (error) {
      await namespace[Symbol.asyncDispose]();
      throw error;
    }
    return namespace;
  }

  /** Whether this machine lets us. */
  static async isPossible(): Promise<boolean> {
    try {
      await using _ = await Namespace.open();
      return true;
    } catch {
      return false;
    }
  }

  /** Drops every packet, in both directions. */
  async cut(): Promise<void> {
    await this.#inside("link", "set", INSIDE, "down");
  }

  async mend(): Promise<void> {
    await this.#inside("link", "set", INSIDE, "up");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { exitCode, signalCode } = this.#keeper;
    if (exitCode !== null || signalCode !== null) return;
    const exit = once(this.#keeper, "exit");
    this.#keeper.stdin?.end();
    await exit;
  }

  async #wire(): Promise<void> {
    const { name, outside, inside, mac } = this.#network;
    const peer = ["peer", "name", INSIDE, "address", mac, "netns", String(this.#keeper.pid)];
    await ip("link", "add", name, "type", "veth", ...peer);
    await ip("addr", "add", `${outside}/30`, "dev", name);
    await ip("link", "set", name, "up");
    await this.#inside("addr", "add", `${inside}/30`, "dev", INSIDE);
    await this.mend();
    // Otherwise the kernel would notice that nobody answers for the address, and tell us.
    await ip("neigh", "replace", inside, "lladdr", mac, "nud", "permanent", "dev", name);
  }

  async #inside(...args: readonly string[]): Promise<void> {
    const [command, ...enter] = this.within;
    await run(command!, [...enter, "ip", ...args]);
  }
}

interface Network {
  readonly name: string;
  readonly outside: string;
  readonly inside: string;
  readonly mac: string;
}

function networkOf(number: number): Network {
  const index = number % NETWORKS;
  const address = (198 << 24) + (18 << 16) + index * 4;
  const at = (host: number) =>
    [24, 16, 8, 0].map((shift) => ((address + host) >>> shift) & 0xff).join(".");
  const hex = index.toString(16).padStart(4, "0");
  return {
    name: `tsmc-${index}`,
    outside: at(1),
    inside: at(2),
    mac: `02:00:c6:12:${hex.slice(0, 2)}:${hex.slice(2)}`,
  };
}

async function ip(...args: readonly string[]): Promise<void> {
  await run("ip", args);
}

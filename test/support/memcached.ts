import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ownPort } from "./port.js";

export interface MemcachedOptions {
  /** Further arguments, for example `["-m", "8", "-I", "2m"]`; `-U -1` opens a free UDP port too. */
  readonly args?: readonly string[];
  /** Listens on a unix socket instead of TCP. */
  readonly unix?: boolean;
  /** A fixed TCP port; without it, one that no other test has. */
  readonly port?: number;
  /** The address to listen on. @defaultValue "127.0.0.1" */
  readonly host?: string;
  /** A command that runs it elsewhere, for example in a network namespace. */
  readonly within?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const COMMAND = process.env["MEMCACHED"] ?? "memcached";
const START_LIMIT_MS = 20_000;
const ANSWER_LIMIT_MS = 1_000;

/** What is left to take away when the test process ends, by whichever way. */
const running = new Set<ChildProcess>();
const folders = new Set<string>();
const leaveNothing = () => {
  for (const child of running) child.kill("SIGKILL");
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
};
process.once("exit", leaveNothing);
// vitest ends its workers by SIGTERM.
process.once("SIGTERM", () => {
  leaveNothing();
  process.kill(process.pid, "SIGTERM");
});

/** Which memcached the tests run, for instance `1.6.18`. */
export function memcachedVersion(): string {
  const words = execFileSync(COMMAND, ["-V"], { encoding: "utf8" });
  const version = /\d+\.\d+\.\d+/.exec(words)?.[0];
  if (version === undefined) throw new Error(`${COMMAND} -V says no version: ${words}`);
  return version;
}

/** A real memcached of the test's own, ready to be spoken to. */
export async function startMemcached(options: MemcachedOptions = {}): Promise<Memcached> {
  const server = new Memcached(options);
  await server.start();
  return server;
}

/** Starts several at once. */
export function startMemcacheds(
  count: number,
  options: MemcachedOptions = {},
): Promise<Memcached[]> {
  return Promise.all(Array.from({ length: count }, () => startMemcached(options)));
}

export class Memcached implements AsyncDisposable {
  readonly host: string;
  readonly #options: MemcachedOptions;
  readonly #folder: string;
  #child: ChildProcess | undefined;
  /** 0 until one is found to be free. */
  #port: number;
  #udpPort = 0;

  constructor(options: MemcachedOptions) {
    this.#options = options;
    this.host = options.host ?? "127.0.0.1";
    this.#folder = mkdtempSync(join(tmpdir(), "memcached-"));
    folders.add(this.#folder);
    this.#port = options.port ?? 0;
  }

  /** The TCP port; 0 for a server on a unix socket. It stays the same over a restart. */
  get port(): number {
    return this.#port;
  }

  /** The UDP port where `-U` asked for one, otherwise 0. */
  get udpPort(): number {
    return this.#udpPort;
  }

  /** `127.0.0.1:port`, `[::1]:port`, or the socket's path: what a client takes as a server. */
  get address(): string {
    if (this.#options.unix) return join(this.#folder, "memcached.sock");
    return `${this.host.includes(":") ? `[${this.host}]` : this.host}:${this.port}`;
  }

  get running(): boolean {
    return this.#child !== undefined;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`memcached ${this.address} is not running`);
    return pid;
  }

  /** Runs it (again), and resolves when it answers. */
  async start(): Promise<void> {
    if (this.#child !== undefined) throw new Error(`memcached ${this.address} runs already`);
    if (this.#port > 0 || this.#options.unix) return this.#run(this.#port);
    while (this.#port === 0) {
      const port = ownPort();
      await this.#run(port).catch((error: Error) => {
        if (!error.message.includes("Address already in use")) throw error;
      });
    }
  }

  async #run(port: number): Promise<void> {
    const portFile = join(this.#folder, "port");
    rmSync(portFile, { force: true });
    const all = [...(this.#options.within ?? []), COMMAND, ...this.#arguments(port)];
    const [command, ...args] = all;
    const child = spawn(command!, args, {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, MEMCACHED_PORT_FILENAME: portFile, ...this.#options.env },
    });
    this.#child = child;
    running.add(child);
    let words = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (words += text));
    let failure: Error | undefined;
    child.on("error", (error) => {
      running.delete(child);
      failure = error;
    });
    child.on("exit", () => running.delete(child));
    child.on("close", (code, signal) => {
      failure ??= new Error(`memcached ended (${code ?? signal}): ${words.trim()}`);
    });

    const deadline = performance.now() + START_LIMIT_MS;
    while (!(this.#readPorts(portFile) && (await answers(this.#endpoint())))) {
      if (failure === undefined && performance.now() > deadline) {
        await this.kill();
        failure = new Error(`memcached does not answer on ${this.address}: ${words.trim()}`);
      }
      if (failure !== undefined) {
        this.#child = undefined;
        throw failure;
      }
      await delay(5);
    }
  }

  /** Asks it to end (SIGTERM), which takes memcached up to a second. */
  stop(): Promise<void> {
    this.resume();
    return this.#end("SIGTERM");
  }

  /** Ends it at once (SIGKILL): its connections break without a word. */
  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  /**
   * Freezes it (SIGSTOP), and resolves when all of its threads have stopped: the kernel still
   * accepts and acknowledges, nobody answers.
   */
  async pause(): Promise<void> {
    this.#child?.kill("SIGSTOP");
    while (!isStopped(this.pid)) await delay(1);
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  /** Kills it, unless it is down already, and starts an empty one on the same address. */
  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
    folders.delete(this.#folder);
  }

  #arguments(port: number): string[] {
    const { args = [], unix } = this.#options;
    const where = unix ? ["-s", this.address] : ["-l", this.host, "-p", String(port)];
    const user = process.getuid?.() === 0 ? ["-u", "root"] : [];
    return [...where, ...user, ...args];
  }

  #endpoint(): { path: string } | { host: string; port: number } {
    return this.#options.unix ? { path: this.address } : { host: this.host, port: this.port };
  }

  /** Whether it listens; the file with its ports appears when it does. */
  #readPorts(file: string): boolean {
    if (this.#options.unix) return existsSync(this.address);
    if (!existsSync(file)) return false;
    const ports = readFileSync(file, "utf8");
    this.#port = Number(/TCP INET6?: (\d+)/.exec(ports)?.[1] ?? this.#port);
    this.#udpPort = Number(/UDP INET: (\d+)/.exec(ports)?.[1] ?? 0);
    return true;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill(signal);
    await exit;
  }
}

/** Whether every thread of a process has stopped; where there is no /proc to tell, it is believed. */
function isStopped(pid: number): boolean {
  const tasks = `/proc/${pid}/task`;
  if (!existsSync(tasks)) return true;
  return readdirSync(tasks).every((task) => {
    const state = readFileSync(`${tasks}/${task}/stat`, "utf8").replace(/^.*\) /s, "");
    return state.startsWith("T");
  });
}

/** Blanks make it a binary header's 24 bytes, so that a binary server judges it as well. */
const VERSION = `${"version".padEnd(22)}\r\n`;

/**
 * Whether somebody at the endpoint reacts to `version`. A hang-up counts: it is what
 * a server that wants TLS or the binary protocol makes of text.
 */
function answers(endpoint: { path: string } | { host: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(endpoint, () => socket.write(VERSION));
    const settle = (alive: boolean) => {
      resolve(alive);
      socket.destroy();
    };
    socket.setTimeout(ANSWER_LIMIT_MS, () => settle(false));
    socket.once("data", () => settle(true));
    socket.once("end", () => settle(true));
    socket.once("error", () => settle(!socket.connecting && socket.bytesWritten > 0));
  });
}

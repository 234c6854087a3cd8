import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { accepts, freePort } from "./port.js";

export interface HaproxyOptions {
  /** Milliseconds of silence, of either side, after which it ends a connection. */
  readonly idleMs?: number;
  /** What is said of the server beside its address, for example `check inter 50`. */
  readonly server?: string;
  /** A certificate's file with its key: it speaks TLS to clients. */
  readonly certificate?: string;
}

/** A real haproxy that carries the bytes of connections to one server, and no more. */
export class Haproxy implements AsyncDisposable {
  readonly #port: number;
  readonly #folder: string;
  #child: ChildProcess;

  private constructor(port: number, folder: string) {
    this.#port = port;
    this.#folder = folder;
    this.#child = this.#run();
  }

  static async start(server: string, options: HaproxyOptions = {}): Promise<Haproxy> {
    const { idleMs = 60_000, certificate } = options;
    const folder = mkdtempSync(join(tmpdir(), "haproxy-"));
    const port = await freePort();
    const lines = [
      "defaults",
      "  mode tcp",
      "  timeout connect 500",
      `  timeout client ${idleMs}`,
      `  timeout server ${idleMs}`,
      "listen memcached",
      `  bind 127.0.0.1:${port}${certificate ? ` ssl crt ${certificate}` : ""}`,
      `  server one ${server} ${options.server ?? ""}`,
      "",
    ];
    writeFileSync(join(folder, "haproxy.cfg"), lines.join("\n"));
    const proxy = new Haproxy(port, folder);
    await proxy.#ready();
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Starts another that takes over the port; this one ends when its connections have. */
  async reload(): Promise<ChildProcess> {
    const old = this.#child;
    this.#child = this.#run("-sf", String(old.pid));
    await this.#ready();
    return old;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #run(...args: readonly string[]): ChildProcess {
    const child = spawn(
      "haproxy",
      ["-q", "-db", "-f", join(this.#folder, "haproxy.cfg"), ...args],
      {
        stdio: "ignore",
        env: { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin` },
      },
    );
    const kill = () => child.kill("SIGKILL");
    process.once("exit", kill);
    child.once("exit", () => process.off("exit", kill));
    return child;
  }

  async #ready(): Promise<void> {
    while (!(await accepts(this.#port))) {
      if (this.#child.exitCode !== null) throw new Error("haproxy ended");
      await delay(10);
    }
  }
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Encoded } from "../../src/value/codec.js";

/** A real memcached on a socket of its own, spoken to in the fewest words: what it holds, byte for byte. */
export class Memcached {
  readonly path: string;
  readonly #folder: string;
  readonly #process: ChildProcess;
  readonly #socket: Socket;

  private constructor(folder: string, path: string, process: ChildProcess, socket: Socket) {
    this.#folder = folder;
    this.path = path;
    this.#process = process;
    this.#socket = socket;
  }

  static async start(): Promise<Memcached> {
    const folder = mkdtempSync(join(tmpdir(), "tslibmc-values-"));
    const path = join(folder, "memcached.sock");
    const process = spawn(
      "/usr/bin/memcached",
      ["-s", path, "-u", "root", "-I", "8m", "-m", "64"],
      {
        stdio: "ignore",
      },
    );
    while (!existsSync(path)) {
      if (process.exitCode !== null) throw new Error("memcached did not start");
      await sleep(10);
    }
    const socket = connect(path);
    await once(socket, "connect");
    return new Memcached(folder, path, process, socket);
  }

  async set(key: string, { data, flags }: Encoded): Promise<void> {
    const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : data;
    this.#socket.write(`set ${key} ${flags} 0 ${bytes.length}\r\n`);
    this.#socket.write(bytes);
    this.#socket.write("\r\n");
    const reply = await this.#read((seen) => seen.includes("\r\n"));
    if (reply.toString() !== "STORED\r\n") throw new Error(`memcached said ${reply}`);
  }

  async get(key: string): Promise<{ data: Buffer; flags: number }> {
    this.#socket.write(`get ${key}\r\n`);
    const reply = await this.#read((seen) => seen.toString("latin1").endsWith("END\r\n"));
    const lineEnd = reply.indexOf("\r\n");
    const [word, , flags, length] = reply.toString("latin1", 0, lineEnd).split(" ");
    if (word !== "VALUE") throw new Error(`${key} is not there`);
    const start = lineEnd + 2;
    return { data: reply.subarray(start, start + Number(length)), flags: Number(flags) };
  }

  async #read(isWhole: (seen: Buffer) => boolean): Promise<Buffer> {
    let seen = Buffer.alloc(0);
    while (!isWhole(seen)) {
      const [chunk] = (await once(this.#socket, "data")) as [Buffer];
      seen = Buffer.concat([seen, chunk]);
    }
    return seen;
  }

  async stop(): Promise<void> {
    this.#socket.destroy();
    this.#process.kill();
    await once(this.#process, "exit");
    rmSync(this.#folder, { recursive: true });
  }
}

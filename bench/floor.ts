import { connect, type Socket } from "node:net";
import { keysOf, textFor } from "./load/data.js";
import type { Load } from "./load/load.js";
import { BATCH, type Workload } from "./load/workload.js";

/** A request made beforehand, and how many bytes answer it. */
interface Exchange {
  readonly request: Buffer;
  readonly replyLength: number;
}

const READ_BUFFER_BYTES = 64 * 1024;

/**
 * The least that Node can do: requests that are made beforehand, and replies of which
 * nothing is read but how many bytes have come. What is in flight together is one write
 * to each server, and gets among it are one line.
 */
export class Floor {
  readonly #sockets: readonly FloorSocket[];

  constructor(servers: readonly string[]) {
    this.#sockets = servers.map((server) => new FloorSocket(server));
  }

  /** Shares out what is in flight among the servers, none of which waits for another. */
  async prepare(owner: string, workload: Workload): Promise<Load> {
    const { length } = this.#sockets;
    const shares = this.#sockets.map((_, i) => Math.floor((workload.inFlight + i) / length));
    const loads = await Promise.all(
      this.#sockets.map((socket, i) =>
        socket.prepare(`${owner}:${i}`, { ...workload, inFlight: shares[i]! }),
      ),
    );
    return {
      run: async (count, latencies) => {
        const part = (i: number) => Math.ceil((count * shares[i]!) / workload.inFlight);
        await Promise.all(loads.map((load, i) => load.run(part(i), latencies)));
      },
      // Each reply is counted by its length as it comes.
      check: async () => {},
    };
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }
}

class FloorSocket {
  readonly #socket: Socket;
  #missing = 0;
  #settle: { resolve(): void; reject(error: Error): void } | undefined;

  constructor(server: string) {
    const [host = "", port] = server.split(":");
    const callback = (length: number) => {
      this.#missing -= length;
      if (this.#missing <= 0) this.#arrived();
      return true;
    };
    const buffer = Buffer.allocUnsafe(READ_BUFFER_BYTES);
    const onread = { buffer, callback };
    this.#socket = connect({ host, port: Number(port), noDelay: true, onread });
    this.#socket.on("error", (error) => this.#settle?.reject(error));
  }

  /** Stores the values and proves that every reply has the length that it should have. */
  async prepare(owner: string, workload: Workload): Promise<Pick<Load, "run">> {
    const keys = keysOf(owner, workload);
    const texts = keys.map((key) => textFor(key, workload.size));
    for (const [i, key] of keys.entries()) await this.#exchange(set([key], [texts[i]!]));

    const perLine = workload.kind === "getMulti" ? BATCH : workload.inFlight;
    const lines = workload.kind === "getMulti" ? workload.inFlight : 1;
    const exchanges: Exchange[] = [];
    for (let first = 0; first === 0 || first + perLine <= keys.length; first += perLine) {
      const some = Array.from({ length: perLine }, (_, i) => (first + i) % keys.length);
      const args = [some.map((i) => keys[i]!), some.map((i) => texts[i]!)] as const;
      const one = workload.kind.startsWith("set") ? set(...args) : get(...args);
      exchanges.push(repeated(one, lines));
    }
    for (const exchange of exchanges) await this.#exchange(exchange);

    const perExchange = workload.kind === "getMulti" ? lines : perLine;
    return {
      run: async (count, latencies) => {
        for (let done = 0, i = 0; done < count; done += perExchange, i++) {
          const start = performance.now();
          await this.#exchange(exchanges[i % exchanges.length]!);
          if (latencies !== undefined) latencies[i] = performance.now() - start;
        }
      },
    };
  }

  close(): void {
    this.#socket.destroy();
  }

  #exchange({ request, replyLength }: Exchange): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#missing = replyLength;
      this.#settle = { resolve, reject };
      this.#socket.write(request);
    });
  }

  #arrived(): void {
    if (this.#missing === 0) this.#settle?.resolve();
    else this.#settle?.reject(new Error(`${-this.#missing} bytes too many came back`));
  }
}

function get(keys: readonly string[], texts: readonly string[]): Exchange {
  const items = keys.map((key, i) => `VALUE ${key} 0 ${texts[i]?.length}\r\n${texts[i]}\r\n`);
  return {
    request: Buffer.from(`get ${keys.join(" ")}\r\n`),
    replyLength: items.join("").length + "END\r\n".length,
  };
}

function set(keys: readonly string[], texts: readonly string[]): Exchange {
  const commands = keys.map((key, i) => `set ${key} 0 0 ${texts[i]?.length}\r\n${texts[i]}\r\n`);
  return {
    request: Buffer.from(commands.join("")),
    replyLength: "STORED\r\n".length * keys.length,
  };
}

function repeated({ request, replyLength }: Exchange, times: number): Exchange {
  const requests = Array.from({ length: times }, () => request);
  return { request: Buffer.concat(requests), replyLength: replyLength * times };
}

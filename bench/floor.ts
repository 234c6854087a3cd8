import { connect, type Socket } from "node:net";
import { keysOf, type Row, rowFor, textFor } from "./load/data.js";
import type { Load } from "./load/load.js";
import { BATCH, type Workload } from "./load/workload.js";

/** A request made beforehand, how many bytes answer it, and what its values cost beside it. */
interface Exchange {
  readonly request: Buffer;
  readonly replyLength: number;
  readonly convert: (() => void) | undefined;
}

interface Item {
  readonly key: string;
  readonly text: string;
  /** The object that the text is the JSON of. */
  readonly row: Row | undefined;
}

interface Command extends Item {
  readonly isSet: boolean;
}

const READ_BUFFER_BYTES = 64 * 1024;

/**
 * The least that Node can do: requests that are made beforehand, and replies of which
 * nothing is read but how many bytes have come. What is in flight together is one write
 * to each server, and neighbouring gets among it are one line. Objects are converted as JSON alone does.
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
    const isObject = workload.kind === "object";
    const rows = isObject ? keys.map((key) => rowFor(key, workload.size)) : [];
    const texts = isObject
      ? rows.map((row) => JSON.stringify(row))
      : keys.map((key) => textFor(key, workload.size));
    const items = keys.map((key, i) => ({ key, text: texts[i]!, row: rows[i] }));
    for (const item of items) await this.#exchange(exchangeOf([{ ...item, isSet: true }]));

    const perLine = workload.kind === "getMulti" ? BATCH : workload.inFlight;
    const lines = workload.kind === "getMulti" ? workload.inFlight : 1;
    const exchanges: Exchange[] = [];
    for (let first = 0; first === 0 || first + perLine <= items.length; first += perLine) {
      const commands = Array.from({ length: perLine }, (_, i) =>
        commandAt(workload.kind, first + i, items),
      );
      exchanges.push(repeated(exchangeOf(commands), lines));
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

  #exchange({ request, replyLength, convert }: Exchange): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#missing = replyLength;
      this.#settle = { resolve, reject };
      convert?.();
      this.#socket.write(request);
    });
  }

  #arrived(): void {
    if (this.#missing === 0) this.#settle?.resolve();
    else this.#settle?.reject(new Error(`${-this.#missing} bytes too many came back`));
  }
}

/** What is written for one operation of a workload, the i-th, as the clients carry it out. */
function commandAt(kind: Workload["kind"], i: number, items: readonly Item[]): Command {
  const isObject = kind === "object";
  const item = items[(isObject ? i >> 1 : i) % items.length]!;
  const isSet = isObject ? i % 2 === 0 : kind === "mixed" ? i % 10 === 0 : kind.startsWith("set");
  return { ...item, isSet };
}

/** Commands in their order, neighbouring gets in one line. */
function exchangeOf(commands: readonly Command[]): Exchange {
  let request = "";
  let reply = "";
  let isOpen = false;
  const end = () => {
    if (!isOpen) return;
    isOpen = false;
    request += "\r\n";
    reply += "END\r\n";
  };
  for (const { key, text, isSet } of commands) {
    if (isSet) {
      end();
      request += `set ${key} 0 0 ${text.length}\r\n${text}\r\n`;
      reply += "STORED\r\n";
    } else {
      request += isOpen ? ` ${key}` : `get ${key}`;
      reply += `VALUE ${key} 0 ${text.length}\r\n${text}\r\n`;
      isOpen = true;
    }
  }
  end();
  return {
    request: Buffer.from(request),
    replyLength: reply.length,
    convert: converting(commands),
  };
}

/** What JSON takes of it: each object that is set as text, and each text that is read as an object. */
function converting(commands: readonly Command[]): (() => void) | undefined {
  if (commands[0]?.row === undefined) return undefined;
  return () => {
    for (const { text, row, isSet } of commands) {
      if (isSet) JSON.stringify(row);
      else JSON.parse(text);
    }
  };
}

function repeated({ request, replyLength, convert }: Exchange, times: number): Exchange {
  const requests = Array.from({ length: times }, () => request);
  return { request: Buffer.concat(requests), replyLength: replyLength * times, convert };
}

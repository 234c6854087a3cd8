import { connect, createServer, type Server, type Socket } from "node:net";
import { listen } from "./port.js";

/**
 * What comes into a stream that is no part of it. It has no end of line: within a value of the right
 * size that would be where the value has to end, and nobody could tell.
 */
export const GARBAGE = "\x00SOMETHING ELSE\x00";

/** Where a proxy sends what it gets. */
export interface Upstream {
  readonly host: string;
  readonly port: number;
}

/**
 * Stands between clients and a real server, and lets bytes pass as a bad network would:
 * late, in pieces, not at all, with a cut in the middle, or with garbage in between. It
 * never loses bytes out of the middle of a stream, which TCP does not do either.
 */
export class FaultProxy implements AsyncDisposable {
  /** How often a chunk from the server suffers a fault, 0 to 1. */
  faultRate = 0;
  faults = 0;
  /** How late everything from the server comes. */
  delayMs = 0;
  readonly #server: Server;
  readonly #upstream: Upstream;
  readonly #random: () => number;
  readonly #sockets = new Set<Socket>();
  /** The chunks that are held back, in their order. */
  #held: (() => void)[] | undefined = undefined;
  #port = 0;

  private constructor(upstream: Upstream, random: () => number) {
    this.#upstream = upstream;
    this.#random = random;
    this.#server = createServer((client) => this.#join(client));
  }

  /** @param random - 0 to 1, so that a run can be repeated */
  static async start(upstream: Upstream, random: () => number): Promise<FaultProxy> {
    const proxy = new FaultProxy(upstream, random);
    proxy.#port = await listen(proxy.#server);
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Ends every connection at once. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Lets nothing through any more, in either direction; connections stay. */
  hold(): void {
    this.#held ??= [];
  }

  /** Lets through what was held back, and what follows. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const pass of held) pass();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cutAll();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #join(client: Socket): void {
    const server = connect(this.#upstream.port, this.#upstream.host);
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.on("data", (chunk) => this.#pass(chunk, client, server));
    const late: Buffer[] = [];
    server.on("data", (chunk) => {
      if (this.delayMs > 0 || late.length > 0) {
        late.push(chunk);
        setTimeout(() => this.#pass(late.shift()!, server, client), this.delayMs);
      } else if (this.#random() < this.faultRate) this.#fault(chunk, server, client);
      else this.#pass(chunk, server, client);
    });
  }

  #pass(chunk: Buffer, from: Socket, to: Socket): void {
    if (this.#held === undefined) pass(chunk, from, to);
    else this.#held.push(() => pass(chunk, from, to));
  }

  #fault(chunk: Buffer, from: Socket, to: Socket): void {
    this.faults++;
    const kind = this.#random();
    const at = Math.floor(this.#random() * chunk.length);
    if (kind < 0.35) {
      this.#inPieces(chunk, from, to);
    } else if (kind < 0.65) {
      from.pause();
      setTimeout(() => {
        pass(chunk, from, to);
        if (!from.destroyed) from.resume();
      }, this.#random() * 120);
    } else if (kind < 0.8) {
      to.write(chunk.subarray(0, at), () => to.resetAndDestroy());
    } else if (kind < 0.9) {
      to.end(chunk.subarray(0, at));
    } else {
      to.write(chunk.subarray(0, at));
      to.write(GARBAGE);
      pass(chunk.subarray(at), from, to);
    }
  }

  #inPieces(chunk: Buffer, from: Socket, to: Socket): void {
    from.pause();
    let at = 0;
    const next = () => {
      const size = 1 + Math.floor(this.#random() * Math.max(1, chunk.length / 4));
      to.write(chunk.subarray(at, at + size));
      at += size;
      if (to.destroyed) return;
      if (at < chunk.length) setImmediate(next);
      else from.resume();
    };
    next();
  }
}

function pass(chunk: Buffer, from: Socket, to: Socket): void {
  if (to.destroyed || to.write(chunk)) return;
  from.pause();
  to.once("drain", () => from.resume());
}

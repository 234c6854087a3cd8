import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";

/** Has a server listen on any free port, and says on which. */
export async function listen(server: Server, host = "127.0.0.1"): Promise<number> {
  await once(server.listen(0, host), "listening");
  return (server.address() as AddressInfo).port;
}

/**
 * Below those that kernels give to whoever wants any port (Linux: from 32768 on): a server that is
 * down for a moment, or for good, would find another test's in its place.
 */
const FIRST = 10_000;
const WORKERS = 16;
export const PORTS_OF_A_WORKER = 1_400;

const worker = Number(process.env["VITEST_POOL_ID"] ?? 0) % WORKERS;
let given = process.pid; // so that the worker's next process begins elsewhere

/** A port that no other test is given, unless that was long ago; somebody else may listen on it. */
export function ownPort(): number {
  return FIRST + worker * PORTS_OF_A_WORKER + (given++ % PORTS_OF_A_WORKER);
}

/** A port that nobody listens on, and no other test will. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = ownPort();
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}

/** Whether somebody listens. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const settle = (accepted: boolean) => () => {
      resolve(accepted);
      socket.destroy();
    };
    socket.once("connect", settle(true)).once("error", settle(false));
  });
}

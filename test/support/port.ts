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
const BLOCKS = 64;
const BLOCK = 350;
/** All but the first of a block, on which its process listens so that no other one takes the block. */
export const PORTS_OF_A_WORKER = BLOCK - 1;

const first = await claimBlock();
let given = process.pid; // so that the block's next process begins elsewhere

/** A block that no other process has, be it a worker of this run or of another on this machine. */
async function claimBlock(): Promise<number> {
  let block = 0;
  for (let n = 0; n < BLOCKS; n++) {
    block = FIRST + ((process.pid + n) % BLOCKS) * BLOCK;
    const claim = createServer((socket) => socket.destroy());
    if (await listensOn(block, claim)) {
      claim.unref();
      break;
    }
  }
  return block + 1;
}

/** A port that no other test is given, unless that was long ago; somebody else may listen on it. */
export function ownPort(): number {
  return first + (given++ % PORTS_OF_A_WORKER);
}

function listensOn(port: number, server: Server): Promise<boolean> {
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => resolve(true));
  });
}

/** A port that nobody listens on, and no other test will. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = ownPort();
    const server = createServer();
    if (!(await listensOn(port, server))) continue;
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

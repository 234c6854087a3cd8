import { spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** A redis of our own, on a free port and without a disk. */
export interface Redis extends AsyncDisposable {
  readonly address: string;
}

const TRIES = 200;

/** Starts a redis, or resolves with undefined where there is none. */
export async function startRedis(): Promise<Redis | undefined> {
  const port = await freePort();
  const child = spawn(
    "redis-server",
    ["--port", String(port), "--save", "", "--appendonly", "no"],
    {
      stdio: "ignore",
    },
  );
  let ended = false;
  child.once("error", () => (ended = true));
  child.once("exit", () => (ended = true));
  for (let tried = 0; tried < TRIES && !ended; tried++) {
    if (await accepts(port))
      return {
        address: `127.0.0.1:${port}`,
        [Symbol.asyncDispose]: async () => {
          child.kill("SIGKILL");
          if (!ended) await once(child, "exit");
        },
      };
    await delay(25);
  }
  child.kill("SIGKILL");
  return undefined;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const settle = (accepted: boolean) => () => {
      resolve(accepted);
      socket.destroy();
    };
    socket.once("connect", settle(true)).once("error", settle(false));
  });
}

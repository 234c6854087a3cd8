import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { accepts, freePort } from "../test/support/port.js";

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

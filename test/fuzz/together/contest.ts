import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "tslibmc";
import type { Lend } from "./player.js";

/** What everybody changes at once, and what has to be there afterwards. */
export interface ContestKeys {
  /** Counted by `gets` and `cas`. */
  readonly swap: string;
  /** Counted by `incr`. */
  readonly count: string;
  /** Each appends what only it has. */
  readonly list: string;
  /** Counted by `get` and `set`, which loses what is not done one after the other ... */
  readonly held: string;
  /** ... as whoever could `add` this does it. */
  readonly lock: string;
}

/** One of those who do so, as `Contestant` in Python. */
export async function compete(
  lend: Lend,
  by: string,
  keys: ContestKeys,
  times: number,
): Promise<void> {
  for (let n = 0; n < times; n++) {
    await lend(async (client) => {
      await swap(client, keys);
      await client.incr(keys.count);
      await client.append(keys.list, `${by}.${n},`);
      await hold(client, by, keys);
    });
  }
}

async function swap(client: Client, keys: ContestKeys): Promise<void> {
  for (;;) {
    const item = (await client.gets<number>(keys.swap))!;
    if (await client.cas(keys.swap, item.value + 1, item.cas)) return;
  }
}

async function hold(client: Client, by: string, { lock, held }: ContestKeys): Promise<void> {
  while (!(await client.add(lock, by))) await delay(1);
  await client.set(held, (await client.get<number>(held))! + 1);
  await client.delete(lock);
}

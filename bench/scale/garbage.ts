import { setTimeout as delay } from "node:timers/promises";

/** What is in use when everything that can be collected is; the process needs `--expose-gc`. */
export async function collect(): Promise<NodeJS.MemoryUsage> {
  for (let n = 0; n < 3; n++) {
    await delay(1);
    gc?.();
  }
  return process.memoryUsage();
}

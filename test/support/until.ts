import { setTimeout as delay } from "node:timers/promises";

/** For what takes a moment and has no time of its own; less than a test may take. */
const LIMIT_MS = 30_000;

/** Waits until something holds, and fails if it never does. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const limit = performance.now() + LIMIT_MS;
  while (!(await holds())) {
    if (performance.now() > limit) throw new Error(`This never came to hold: ${holds}`);
    await delay(5);
  }
}

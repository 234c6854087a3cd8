import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

/**
 * Bytes that are in use after a collection. It takes two: V8 frees the memory of buffers on a
 * thread of its own, which on a busy machine is not done when the first one returns; the second
 * waits for it.
 */
export function bytesInUse(): number {
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

import type { Servers } from "tslibmc";
import { onTestFinished } from "vitest";

/** One iteration of a source, ended with the test; `next()` gives its next list. */
export function listsOf(source: AsyncIterable<Servers>): () => Promise<Servers> {
  const iterator = source[Symbol.asyncIterator]();
  onTestFinished(async () => {
    await iterator.return?.();
  });
  return async () => {
    const { done, value } = await iterator.next();
    if (done) throw new Error("The source has ended");
    return value;
  };
}

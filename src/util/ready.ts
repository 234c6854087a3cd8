import { countdown } from "./countdown.js";

/** What `next` makes of a value: at once, unless there is only a promise of it yet. */
export function whenReady<Value, Result>(
  value: Value | Promise<Value>,
  next: (value: Value) => Result | Promise<Result>,
): Result | Promise<Result> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Resolves when all of these are settled; undefined if there are none. */
export function allSettled(
  works: Iterable<Promise<unknown> | undefined>,
): Promise<unknown> | undefined {
  const some = [...works].filter((work) => work !== undefined);
  return some.length === 0 ? undefined : Promise.allSettled(some);
}

/** What comes of it, or undefined if that takes longer; waiting keeps the process alive. */
export async function within<Result>(
  limitMs: number,
  work: Promise<Result>,
): Promise<Result | undefined> {
  let stop = () => {};
  const late = new Promise<undefined>((resolve) => {
    stop = countdown(limitMs, () => resolve(undefined), true);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    stop();
  }
}

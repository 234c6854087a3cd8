import { afterEach, beforeEach } from "vitest";

/** What a client warned of where a test has it do so. */
export interface Provoked extends Disposable {
  readonly messages: readonly string[];
}

/**
 * Takes what a test provokes the client to warn of, and leaves other warnings to be printed. A
 * subject is warned of once in a process, so that there may be nothing to take.
 */
export function provoking(pattern: RegExp): Provoked {
  const messages: string[] = [];
  const emit = process.emitWarning;
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (pattern.test(String(warning))) messages.push(String(warning));
    else Reflect.apply(emit, process, [warning, ...rest]);
  };
  return {
    messages,
    [Symbol.dispose]: () => {
      process.emitWarning = emit;
    },
  };
}

/** The same for each test of a file, or of a `describe`. */
export function provokes(pattern: RegExp): { readonly messages: readonly string[] } {
  let provoked: Provoked | undefined;
  beforeEach(() => {
    provoked = provoking(pattern);
  });
  afterEach(() => provoked?.[Symbol.dispose]());
  return {
    get messages() {
      return provoked?.messages ?? [];
    },
  };
}

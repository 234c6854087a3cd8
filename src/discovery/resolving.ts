import { Resolver } from "node:dns/promises";
import { NetworkError, OptionError } from "../errors.js";
import { show } from "../util/show.js";

/** As long as DNS servers of clusters let answers live. */
export const DEFAULT_INTERVAL_MS = 30_000;

/** What says that there are no such records, which is an answer and no failure. */
const ABSENT: ReadonlySet<unknown> = new Set(["ENODATA", "ENOTFOUND"]);

/** The machine's own DNS servers, whose questions end with the iteration. */
export function resolving(ended: AbortSignal): Resolver {
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  ended.addEventListener("abort", () => resolver.cancel(), { once: true });
  return resolver;
}

/**
 * The records of an answer; that there are none is an answer too.
 * @throws NetworkError for a question that was not answered
 */
export async function recordsOf<Record>(
  name: string,
  answer: Promise<Record[]>,
): Promise<Record[]> {
  try {
    return await answer;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (ABSENT.has(code)) return [];
    throw new NetworkError(`DNS did not answer for ${name}: ${code ?? message}`, { cause });
  }
}

export function checkName(name: unknown): void {
  if (typeof name === "string" && /^[^\s:/]+$/.test(name)) return;
  throw new OptionError(
    `The name to ask DNS for must be a host's or a service's, not ${show(name)}`,
  );
}

export function checkResolver(resolver: object | undefined, methods: readonly string[]): void {
  if (resolver === undefined) return;
  const isObject = typeof resolver === "object" && resolver !== null;
  for (const method of methods) {
    if (isObject && typeof Reflect.get(resolver, method) === "function") continue;
    throw new OptionError(`resolver has no ${method}; give a Resolver of node:dns/promises`);
  }
}

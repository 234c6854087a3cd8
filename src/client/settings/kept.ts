import { ownOptions } from "../../util/names.js";
import type { ClientOptions } from "./configure.js";

/** Options that are objects, and read again later: for a connection, for other servers, by a clone. */
const OBJECTS = [
  "chunk",
  "compress",
  "encryption",
  "failover",
  "hedge",
  "pickle",
  "placement",
  "socket",
  "tls",
] as const satisfies readonly (keyof ClientOptions)[];

/** A client's own options: the program may use its objects, and the lists in them, for another client. */
export function keptOptions<Options extends object>(options: Options): Options {
  const kept = ownOptions(options);
  for (const name of OBJECTS) {
    const given: unknown = Reflect.get(kept, name);
    if (typeof given === "object" && given !== null && !Array.isArray(given)) {
      Reflect.set(kept, name, withOwnLists(ownOptions(given)));
    }
  }
  return kept;
}

function withOwnLists(options: object): object {
  for (const [name, value] of Object.entries(options)) {
    if (Array.isArray(value)) Reflect.set(options, name, [...value]);
  }
  return options;
}

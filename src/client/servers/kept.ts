import { ownOptions } from "../../util/names.js";

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
];

/** Own copies of options: the program may use its objects, and the lists in them, for another client. */
export function keptOptions(options: object): Record<string, unknown> {
  const all: Record<string, unknown> = { ...ownOptions(options) };
  for (const name of OBJECTS) {
    const given = all[name];
    if (typeof given !== "object" || given === null || Array.isArray(given)) continue;
    const kept: Record<string, unknown> = { ...ownOptions(given) };
    for (const each in kept) if (Array.isArray(kept[each])) kept[each] = [...kept[each]];
    all[name] = kept;
  }
  return all;
}

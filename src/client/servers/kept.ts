import { ownOptions } from "../../util/names.js";

/** Options that are objects, and read again later: for a connection, for other servers, by a clone. */
const OBJECTS = [
  "behaviors",
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
export function keptOptions<Options extends object>(options: Options): Options {
  const kept = ownOptions(options);
  const all = kept as Record<string, unknown>;
  for (const name of OBJECTS) {
    const given = all[name];
    if (typeof given !== "object" || given === null || Array.isArray(given)) continue;
    const own = ownOptions(given) as Record<string, unknown>;
    for (const each in own) if (Array.isArray(own[each])) own[each] = [...own[each]];
    all[name] = own;
  }
  return kept;
}

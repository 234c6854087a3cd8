import type {
  MetaArithmeticFlags,
  MetaDeleteFlags,
  MetaGetFlags,
  MetaSetFlags,
  Request,
} from "../request.js";

/** What the meta commands can say and the binary protocol cannot. */
const GET_FLAGS: readonly (keyof MetaGetFlags)[] = [
  "returnHitBefore",
  "returnLastAccess",
  "returnSize",
  "returnTtl",
  "noBump",
  "vivify",
  "recache",
  "setCas",
  "unlessCas",
];
const SET_FLAGS: readonly (keyof MetaSetFlags)[] = ["setCas", "invalidate", "vivify", "returnSize"];
const DELETE_FLAGS: readonly (keyof MetaDeleteFlags)[] = [
  "setCas",
  "invalidate",
  "exptime",
  "dropValue",
];
const ARITHMETIC_FLAGS: readonly (keyof MetaArithmeticFlags)[] = ["setCas", "exptime", "returnTtl"];

/** What a request needs that the binary protocol cannot say, as a message; or undefined. */
export function missingWords(request: Request): string | undefined {
  switch (request.verb) {
    case "get":
      return flag(request.meta, GET_FLAGS);
    case "set":
      if (request.mode === "add" && request.compareCas !== undefined) {
        return "The binary protocol cannot compare a cas in an add";
      }
      return zeroCas(request.compareCas) ?? flag(request.meta, SET_FLAGS);
    case "delete":
      return zeroCas(request.compareCas) ?? flag(request.meta, DELETE_FLAGS);
    case "arithmetic":
      return zeroCas(request.meta?.compareCas) ?? flag(request.meta, ARITHMETIC_FLAGS);
    case "admin":
      return admin(request.action);
  }
}

function flag<Flags extends object>(
  meta: Flags | undefined,
  names: readonly (keyof Flags & string)[],
): string | undefined {
  const name = meta && names.find((name) => meta[name] !== undefined && meta[name] !== false);
  return name && `The binary protocol has no words for ${name}; use the text protocol`;
}

/** No item has the cas 0, and on this wire it stands for "whatever the cas is". */
function zeroCas(cas: bigint | undefined): string | undefined {
  return cas === 0n ? "The binary protocol cannot compare with the cas 0" : undefined;
}

function admin(action: string): string | undefined {
  // memcached has never known the verbosity of the specification, and loses the next
  // request behind one whose opcode it does not know.
  if (action !== "verbosity" && action !== "debug") return undefined;
  return `memcached's binary protocol has no ${action}; use the text protocol`;
}

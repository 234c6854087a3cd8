import type {
  MetaArithmeticFlags,
  MetaFlags,
  MetaGetFlags,
  MetaSetFlags,
  Request,
} from "../request.js";

/** What the binary protocol can say of the flags of meta commands; some of it the wire answers itself. */
const KNOWN: ReadonlySet<string> = new Set<
  keyof MetaGetFlags | keyof MetaSetFlags | keyof MetaArithmeticFlags
>(["base64Key", "returnKey", "opaque", "returnFlags", "returnCas", "compareCas", "returnValue"]);

/** What a request needs that the binary protocol cannot say, as a message; or undefined. */
export function missingWords(request: Request): string | undefined {
  switch (request.verb) {
    case "get":
      return flag(request.meta);
    case "set":
      if (request.mode === "add" && request.compareCas !== undefined) {
        return "The binary protocol cannot compare a cas in an add";
      }
      return zeroCas(request.compareCas) ?? flag(request.meta);
    case "delete":
      return zeroCas(request.compareCas) ?? flag(request.meta);
    case "arithmetic":
      return zeroCas(request.meta?.compareCas) ?? flag(request.meta);
    case "admin":
      return admin(request.action);
  }
}

function flag(meta: MetaFlags | undefined): string | undefined {
  if (meta === undefined) return undefined;
  for (const [name, value] of Object.entries(meta)) {
    if (value !== undefined && value !== false && !KNOWN.has(name)) {
      return `The binary protocol has no words for ${name}; use the text protocol`;
    }
  }
  return undefined;
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

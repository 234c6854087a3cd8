import type { Instance } from "../../instance.js";
import type { Item } from "../../item.js";
import type { Session } from "../../session.js";
import { OUT_OF_MEMORY } from "../command.js";
import { type MetaFlags, OPAQUE_TOO_LONG, readFlags, refuseLine, returnedTokens } from "./flags.js";

/** `md <key> <flags>*` (protocol.txt, "Meta Delete"). */
export function metaDelete(session: Session, words: readonly string[]): string {
  const { instance } = session;
  const refused = refuseLine(instance, words);
  if (refused !== undefined) return refused;
  const request = readFlags(instance, words, 2);
  if (typeof request === "string") {
    const { strictParser } = instance.settings.release;
    return strictParser ? request : "CLIENT_ERROR invalid or duplicate flag\r\n";
  }
  const tokens = returnedTokens(request);
  if (tokens === undefined) return OPAQUE_TOO_LONG;
  const code = act(instance, request);
  if (code === OUT_OF_MEMORY) return code;
  return request.quiet && code === "HD" ? "" : `${code}${tokens}\r\n`;
}

function act(instance: Instance, request: MetaFlags): "HD" | "NF" | "EX" | typeof OUT_OF_MEMORY {
  const { store, counters, watch } = instance;
  const { compareCas } = request;
  const item = store.peek(request.key);
  if (item === undefined || (compareCas !== undefined && compareCas !== item.cas)) {
    counters.totals.delete_misses++;
    return item === undefined ? "NF" : "EX";
  }
  if (request.dropValue && store.reserve(request.key, 0, request.flags) !== undefined) {
    return OUT_OF_MEMORY;
  }
  const kept = request.dropValue ? emptied(instance, request, item) : item;
  if (request.invalidate) {
    if (request.exptime !== undefined) kept.exptime = request.exptime;
    kept.stale = true;
    kept.won = false;
    kept.cas = request.setCas ?? store.nextCas();
  } else {
    counters.of(item.slabClass).delete_hits++;
    watch.deleted(kept, "md");
    if (!request.dropValue) store.delete(item);
  }
  return "HD";
}

/** An empty item in place of the old one, with its cas. */
function emptied({ store }: Instance, request: MetaFlags, item: Item): Item {
  const { key, flags, exptime = 0, setCas = item.cas } = request;
  store.put("set", { key, data: "", flags, exptime }, { setCas });
  return store.stored!;
}

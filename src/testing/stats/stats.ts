import type { Instance } from "../instance.js";
import { connectionsStats } from "./connections.js";
import type { Entry } from "./entry.js";
import { generalStats } from "./general.js";
import { settingsStats } from "./settings.js";
import { itemsStats, slabStats } from "./slabs.js";

/**
 * The entries of `stats` or one of its subcommands, the same on the text and the binary
 * protocol; undefined for a subcommand that does not exist.
 */
export function statsOf(instance: Instance, subcommand: string | undefined): Entry[] | undefined {
  switch (subcommand) {
    case undefined:
      return generalStats(instance);
    case "settings":
      return settingsStats(instance);
    case "items":
      return itemsStats(instance);
    case "slabs":
      return slabStats(instance);
    case "sizes":
      return sizesStats(instance);
    case "conns":
      return connectionsStats(instance);
    default:
      return undefined;
  }
}

const SIZE_STEP = 32;

/** `stats sizes`: how many items there are of each size, in steps of 32 bytes, where that is tracked. */
function sizesStats({ sizesFrom, store }: Instance): Entry[] {
  if (sizesFrom === undefined) return [["sizes_status", "disabled"]];
  const counts = new Map<number, number>();
  for (const item of store.items()) {
    if (item.cas < sizesFrom) continue;
    const step = Math.ceil(item.bytes / SIZE_STEP) * SIZE_STEP;
    counts.set(step, (counts.get(step) ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => a - b).map(([size, count]) => [String(size), count]);
}

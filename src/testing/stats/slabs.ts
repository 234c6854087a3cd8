import type { Instance } from "../instance.js";
import type { Item } from "../item.js";
import { PAGE_BYTES } from "../slab.js";
import type { Entry } from "./entry.js";

/** What the items of one slab class come to. */
interface Census {
  items: number;
  bytes: number;
  oldest: Item;
}

/** The items counted by slab class, smallest class first. */
function census({ store }: Instance): [slabClass: number, Census][] {
  const classes = new Map<number, Census>();
  for (const item of store.items()) {
    const found = classes.get(item.slabClass);
    if (found === undefined) {
      classes.set(item.slabClass, { items: 1, bytes: item.bytes, oldest: item });
    } else {
      found.items++;
      found.bytes += item.bytes;
      found.oldest = item;
    }
  }
  return [...classes].sort(([a], [b]) => a - b);
}

const HITS = [
  "get_hits",
  "cmd_set",
  "delete_hits",
  "incr_hits",
  "decr_hits",
  "cas_hits",
  "cas_badval",
  "touch_hits",
] as const;

/** `stats slabs`: chunks and pages, as memcached would have allotted them. */
export function slabStats(instance: Instance): Entry[] {
  const { counters, slabs } = instance;
  const entries: Entry[] = [];
  let totalPages = 0;
  const classes = census(instance);
  for (const [slabClass, { items }] of classes) {
    const chunk = slabs.chunkSize(slabClass);
    const perPage = Math.floor(PAGE_BYTES / chunk);
    const pages = Math.ceil(items / perPage);
    totalPages += pages;
    const counted = counters.of(slabClass);
    const lines: Entry[] = [
      ["chunk_size", chunk],
      ["chunks_per_page", perPage],
      ["total_pages", pages],
      ["total_chunks", pages * perPage],
      ["used_chunks", items],
      ["free_chunks", pages * perPage - items],
      ["free_chunks_end", 0],
      ...HITS.map((name): Entry => [name, counted[name]]),
    ];
    for (const [name, value] of lines) entries.push([`${slabClass}:${name}`, value]);
  }
  entries.push(["active_slabs", classes.length], ["total_malloced", totalPages * PAGE_BYTES]);
  return entries;
}

/** `stats items`: the items of each class, which all count as cold. */
export function itemsStats(instance: Instance): Entry[] {
  const { counters, clock } = instance;
  const now = clock.now();
  return census(instance).flatMap(([slabClass, { items, bytes, oldest }]) => {
    const counted = counters.of(slabClass);
    const lines: Entry[] = [
      ["number", items],
      ["number_hot", 0],
      ["number_warm", 0],
      ["number_cold", items],
      ["age_hot", 0],
      ["age_warm", 0],
      ["age", now - oldest.time],
      ["mem_requested", bytes],
      ["evicted", counted.evicted],
      ["evicted_nonzero", counted.evicted_nonzero],
      ["evicted_time", counted.evicted_time],
      ["outofmemory", counted.outofmemory],
      ["tailrepairs", 0],
      ["reclaimed", counted.reclaimed],
      ["expired_unfetched", counted.expired_unfetched],
      ["evicted_unfetched", counted.evicted_unfetched],
      ["evicted_active", counted.evicted_active],
      ["crawler_reclaimed", 0],
      ["crawler_items_checked", 0],
      ["lrutail_reflocked", 0],
      ["moves_to_cold", 0],
      ["moves_to_warm", 0],
      ["moves_within_lru", 0],
      ["direct_reclaims", 0],
      ["hits_to_hot", 0],
      ["hits_to_warm", 0],
      ["hits_to_cold", counted.get_hits],
      ["hits_to_temp", 0],
    ];
    return lines.map(([name, value]): Entry => [`items:${slabClass}:${name}`, value]);
  });
}

import type { Workload } from "./workload.js";

/** A row such as applications cache. */
export type Row = Readonly<Record<string, unknown>>;

/** No client of a run has a longer name. */
const OWNER_LENGTH = 20;

/** The keys of a workload, which are one client's own, and as long as those of the others. */
export function keysOf(owner: string, { name, keys }: Workload): string[] {
  const prefix = `${owner.padEnd(OWNER_LENGTH)}:${name}`.replace(/[^\w:@.-]/g, "_");
  return Array.from({ length: keys }, (_, i) => `${prefix}:${i}`);
}

/** ASCII text of the size, different for each key. */
export function textFor(key: string, size: number): string {
  return `${key} `.padEnd(size, "the quick brown fox jumps over the lazy dog ").slice(0, size);
}

/** An object whose JSON has about the size, with a bit of everything. */
export function rowFor(key: string, size: number): Row {
  const row = {
    id: key,
    name: "Ada Lovelace",
    age: 36,
    active: true,
    score: 99.5,
    tags: ["mathematics", "poetry", "engines"],
    address: { street: "St James's Square 12", city: "London", code: "SW1Y 4JH" },
    orders: [] as { number: number; item: string; price: number }[],
  };
  while (JSON.stringify(row).length < size)
    row.orders.push({ number: row.orders.length, item: "punched card", price: 0.25 });
  return row;
}

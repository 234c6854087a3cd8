/** What a client is asked to do, and how many times at once. */
export interface Workload {
  readonly name: string;
  readonly title: string;
  readonly kind: Kind;
  /** How many operations wait for an answer at any time. */
  readonly inFlight: number;
  /** The size of each value in bytes. */
  readonly size: number;
  /** How many keys the operations go round. */
  readonly keys: number;
  /** How many keys one getMulti asks for. @defaultValue {@link BATCH} */
  readonly batch?: number;
}

/**
 * `mixed` is nine gets to a set. `object` sets and gets a JSON object in turn, and `blob`
 * is a value that a client carries in whichever type is cheapest for it.
 */
export type Kind = "get" | "set" | "getMulti" | "mixed" | "object" | "getBlob" | "setBlob";

/** How many keys one getMulti asks for, unless its workload says otherwise. */
export const BATCH = 100;

const SMALL = { size: 100, keys: 1000 };
const ROW = { size: 1024, keys: 1000 };
const MEDIUM = { size: 10_240, keys: 100 };
const LARGE = { size: 1_000_000, keys: 4 };

export const WORKLOADS: readonly Workload[] = [
  { name: "get-1", title: "get", kind: "get", inFlight: 1, ...SMALL },
  { name: "set-1", title: "set", kind: "set", inFlight: 1, ...SMALL },
  { name: "get-64", title: "get", kind: "get", inFlight: 64, ...SMALL },
  { name: "get-1024", title: "get", kind: "get", inFlight: 1024, ...SMALL },
  { name: "set-64", title: "set", kind: "set", inFlight: 64, ...SMALL },
  { name: "set-1024", title: "set", kind: "set", inFlight: 1024, ...SMALL },
  { name: "multi-1", title: "getMulti of 100", kind: "getMulti", inFlight: 1, ...SMALL },
  { name: "multi-16", title: "getMulti of 100", kind: "getMulti", inFlight: 16, ...SMALL },
  { name: "mixed-64", title: "90/10 get/set", kind: "mixed", inFlight: 64, ...SMALL },
  { name: "json-64", title: "JSON of 1 KB", kind: "object", inFlight: 64, ...ROW },
  { name: "get10k-64", title: "get 10 KB", kind: "getBlob", inFlight: 64, ...MEDIUM },
  { name: "get1m-1", title: "get 1 MB", kind: "getBlob", inFlight: 1, ...LARGE },
  { name: "set1m-1", title: "set 1 MB", kind: "setBlob", inFlight: 1, ...LARGE },
];

/** With one operation at a time, the wake-up of another core costs more than any client does. */
export function wantsOneCore(workload: Workload): boolean {
  return workload.inFlight === 1;
}

/**
 * Which workloads share a client's process: those of small values. What large ones cost is a
 * matter of what malloc and V8's heap have been through, so each of those begins with a new one.
 */
export function processOf({ name, size }: Workload): string {
  return size > ROW.size ? name : "small values";
}

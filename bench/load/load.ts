import { deepStrictEqual, strictEqual } from "node:assert";
import type { Peer } from "../peers/peer.js";
import { keysOf, type Row, rowFor, textFor } from "./data.js";
import { BATCH, type Workload } from "./workload.js";

/** One operation of a workload, the i-th. */
type Operation = (i: number) => Promise<unknown>;

/** A workload that stands ready on a client. */
export interface Load {
  /** Carries out `count` operations; with `latencies`, notes the time of each in it, in ms. */
  run(count: number, latencies?: Float64Array): Promise<void>;
  /** Proves that what it reads is still right: a client may break under load and not say so. */
  check(): Promise<void>;
}

/** Stores the values of a workload through the client, and proves that it reads them back. */
export async function prepare(owner: string, peer: Peer, workload: Workload): Promise<Load> {
  const keys = keysOf(owner, workload);
  const operation = await OPERATIONS[workload.kind](peer, keys, workload);
  return {
    run: (count, latencies) =>
      latencies === undefined
        ? keepInFlight(operation, workload.inFlight, count)
        : oneByOne(operation, count, latencies),
    check: () => checkOne(peer, workload, keys),
  };
}

async function checkOne(
  peer: Peer,
  { kind, size, batch = BATCH }: Workload,
  keys: readonly string[],
): Promise<void> {
  const key = keys[0]!;
  if (kind === "object") {
    deepStrictEqual(await peer.getObject(key), rowFor(key, size));
  } else if (kind === "getMulti") {
    const found = await peer.getMulti(keys.slice(0, batch));
    strictEqual(peer.pick(found, key, 0), textFor(key, size), `getMulti of ${key}`);
  } else {
    const isBlob = kind === "getBlob" || kind === "setBlob";
    const found = isBlob ? String(await peer.getBlob(key)) : await peer.get(key);
    strictEqual(found, textFor(key, size), `get of ${key}`);
  }
}

async function keepInFlight(operation: Operation, inFlight: number, count: number): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) await operation(next++);
  };
  await Promise.all(Array.from({ length: Math.min(inFlight, count) }, lane));
}

async function oneByOne(
  operation: Operation,
  count: number,
  latencies: Float64Array,
): Promise<void> {
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    await operation(i);
    latencies[i] = performance.now() - start;
  }
}

type Prepare = (peer: Peer, keys: readonly string[], workload: Workload) => Promise<Operation>;

const OPERATIONS: Readonly<Record<Workload["kind"], Prepare>> = {
  async get(peer, keys, { size }) {
    await storeTexts(peer, keys, size);
    return (i) => peer.get(keys[i % keys.length]!);
  },

  async set(peer, keys, { size }) {
    const texts = await storeTexts(peer, keys, size);
    return (i) => peer.set(keys[i % keys.length]!, texts[i % keys.length]!);
  },

  async mixed(peer, keys, { size }) {
    const texts = await storeTexts(peer, keys, size);
    return (i) => {
      const n = i % keys.length;
      return i % 10 === 0 ? peer.set(keys[n]!, texts[n]!) : peer.get(keys[n]!);
    };
  },

  async getMulti(peer, keys, { size, batch: length = BATCH }) {
    const texts = await storeTexts(peer, keys, size);
    const batches = Array.from({ length: keys.length / length }, (_, i) =>
      keys.slice(i * length, (i + 1) * length),
    );
    for (const [b, batch] of batches.entries()) {
      const found = await peer.getMulti(batch);
      for (const [i, key] of batch.entries())
        strictEqual(peer.pick(found, key, i), texts[b * length + i], `getMulti of ${key}`);
    }
    return (i) => peer.getMulti(batches[i % batches.length]!);
  },

  async object(peer, keys, { size }) {
    const rows: Row[] = keys.map((key) => rowFor(key, size));
    await inTurn(keys, (key, i) => peer.setObject(key, rows[i]!));
    await inTurn(keys, async (key, i) => deepStrictEqual(await peer.getObject(key), rows[i]));
    return (i) => {
      const n = (i >> 1) % keys.length;
      return i % 2 === 0 ? peer.setObject(keys[n]!, rows[n]!) : peer.getObject(keys[n]!);
    };
  },

  async getBlob(peer, keys, { size }) {
    await storeBlobs(peer, keys, size);
    return (i) => peer.getBlob(keys[i % keys.length]!);
  },

  async setBlob(peer, keys, { size }) {
    const blobs = await storeBlobs(peer, keys, size);
    return (i) => peer.setBlob(keys[i % keys.length]!, blobs[i % keys.length]!);
  },
};

async function storeTexts(peer: Peer, keys: readonly string[], size: number): Promise<string[]> {
  const texts = keys.map((key) => textFor(key, size));
  await inTurn(keys, (key, i) => peer.set(key, texts[i]!));
  await inTurn(keys, async (key, i) => strictEqual(await peer.get(key), texts[i], `get of ${key}`));
  return texts;
}

async function storeBlobs(
  peer: Peer,
  keys: readonly string[],
  size: number,
): Promise<(string | Buffer)[]> {
  const texts = keys.map((key) => textFor(key, size));
  const blobs = texts.map((text) => (peer.carriesBytes ? Buffer.from(text) : text));
  await inTurn(keys, (key, i) => peer.setBlob(key, blobs[i]!));
  await inTurn(keys, async (key, i) =>
    strictEqual(String(await peer.getBlob(key)), texts[i], `get of ${key}`),
  );
  return blobs;
}

async function inTurn(
  keys: readonly string[],
  act: (key: string, i: number) => Promise<unknown>,
): Promise<void> {
  for (const [i, key] of keys.entries()) await act(key, i);
}

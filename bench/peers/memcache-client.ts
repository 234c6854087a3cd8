import { type Connect, load } from "./peer.js";

interface MemcacheClientModule {
  readonly MemcacheClient: new (options: object) => Client;
}

interface Found {
  readonly value: unknown;
}

interface Client {
  get(key: string): Promise<Found>;
  get(keys: readonly string[]): Promise<Record<string, Found>>;
  set(key: string, value: unknown, options: object): Promise<unknown>;
  shutdown(): void;
}

/** Its values expire after a minute by default, which is less than a run takes. */
const KEPT = { lifetime: 0 };

export const connect: Connect = async ([server]) => {
  const { MemcacheClient } = await load<MemcacheClientModule>("memcache-client");
  const client = new MemcacheClient({ server, cmdTimeout: 10_000 });
  const get = async (key: string) => (await client.get(key)).value;
  const set = (key: string, value: unknown) => client.set(key, value, KEPT);
  return {
    carriesBytes: true,
    get,
    set,
    getObject: get,
    setObject: set,
    getBlob: get,
    setBlob: set,
    getMulti: (keys) => client.get(keys),
    pick: (result, key) => (result as Record<string, Found>)[key]?.value,
    close: () => client.shutdown(),
  };
};

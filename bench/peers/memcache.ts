import { type Connect, load } from "./peer.js";

interface MemcacheModule {
  readonly Memcache: new (options: object) => Client;
}

interface Client {
  get(key: string): Promise<string | undefined>;
  gets(keys: readonly string[]): Promise<Map<string, string>>;
  set(key: string, value: string): Promise<boolean>;
  disconnect(): Promise<void>;
}

export const connect: Connect = async (servers) => {
  const { Memcache } = await load<MemcacheModule>("memcache");
  const client = new Memcache({ nodes: [...servers], timeout: 10_000 });
  return {
    carriesBytes: false,
    get: (key) => client.get(key),
    set: (key, value) => client.set(key, value),
    getObject: async (key) => JSON.parse((await client.get(key)) ?? "null"),
    setObject: (key, value) => client.set(key, JSON.stringify(value)),
    getBlob: (key) => client.get(key),
    setBlob: (key, value) => client.set(key, String(value)),
    getMulti: (keys) => client.gets(keys),
    pick: (result, key) => (result as Map<string, string>).get(key),
    close: () => client.disconnect(),
  };
};

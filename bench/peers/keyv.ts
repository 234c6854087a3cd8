import { type Connect, load } from "./peer.js";

interface KeyvModule {
  readonly Keyv: new (options: object) => Client;
}

interface AdapterModule {
  readonly KeyvMemcache: new (server: string, options: object) => object;
}

interface Client {
  get(key: string): Promise<unknown>;
  getMany(keys: readonly string[]): Promise<unknown[]>;
  set(key: string, value: unknown): Promise<boolean>;
  disconnect(): Promise<void>;
}

export const connect: Connect = async (servers) => {
  const { Keyv } = await load<KeyvModule>("keyv");
  const { KeyvMemcache } = await load<AdapterModule>("@keyv/memcache");
  const store = new KeyvMemcache(servers.join(","), { timeout: 10 });
  const client = new Keyv({ store });
  const get = (key: string) => client.get(key);
  const set = (key: string, value: unknown) => client.set(key, value);
  return {
    carriesBytes: false,
    get,
    set,
    getObject: get,
    setObject: set,
    getBlob: get,
    setBlob: set,
    getMulti: (keys) => client.getMany(keys),
    pick: (result, _, i) => (result as unknown[])[i],
    close: () => client.disconnect(),
  };
};

import { type Connect, load } from "./peer.js";

type Callback<T> = (error: Error | undefined, result: T) => void;

interface Memcached {
  readonly default: new (servers: readonly string[], options: object) => Client;
}

interface Client {
  get(key: string, callback: Callback<unknown>): void;
  getMulti(keys: readonly string[], callback: Callback<Record<string, unknown>>): void;
  set(key: string, value: unknown, lifetime: number, callback: Callback<boolean>): void;
  end(): void;
}

export const connect: Connect = async (servers) => {
  const { default: Memcached } = await load<Memcached>("memcached");
  const client = new Memcached(servers, { timeout: 10_000, maxValue: 4 * 1024 * 1024 });
  const promise = <T>(act: (callback: Callback<T>) => void): Promise<T> =>
    new Promise((resolve, reject) => {
      act((error, result) => (error ? reject(error) : resolve(result)));
    });
  const get = (key: string) => promise<unknown>((callback) => client.get(key, callback));
  const set = (key: string, value: unknown) =>
    promise<boolean>((callback) => client.set(key, value, 0, callback));
  return {
    carriesBytes: true,
    get,
    set,
    getObject: get,
    setObject: set,
    getBlob: get,
    setBlob: set,
    getMulti: (keys) => promise((callback) => client.getMulti(keys, callback)),
    pick: (result, key) => (result as Record<string, unknown>)[key],
    close: () => client.end(),
  };
};

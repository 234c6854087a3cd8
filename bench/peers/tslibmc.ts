import { type Connect, load } from "./peer.js";

interface Tslibmc {
  readonly Client: new (servers: readonly string[], options: object) => Client;
}

/** What is measured of a build, which may be of an older commit. */
interface Client {
  get(key: string): Promise<unknown>;
  getMulti(keys: readonly string[]): Promise<Map<string, unknown>>;
  set(key: string, value: unknown): Promise<boolean>;
  close(): Promise<void>;
}

/** This client out of a build (`index.js` of its ES modules), with the options given. */
export function tslibmc(build: string, options: object = {}): Connect {
  return async (servers) => {
    const { Client } = await load<Tslibmc>(build);
    const client = new Client(servers, { timeoutMs: 10_000, ...options });
    return {
      carriesBytes: true,
      get: (key) => client.get(key),
      set: (key, value) => client.set(key, value),
      getObject: (key) => client.get(key),
      setObject: (key, value) => client.set(key, value),
      getBlob: (key) => client.get(key),
      setBlob: (key, value) => client.set(key, value),
      getMulti: (keys) => client.getMulti(keys),
      pick: (result, key) => (result as Map<string, unknown>).get(key),
      close: () => client.close(),
    };
  };
}

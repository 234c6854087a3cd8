import { type Connect, load } from "./peer.js";

interface Memjs {
  readonly default: { readonly Client: { create(servers: string, options: object): Client } };
}

interface Client {
  get(key: string): Promise<{ readonly value: Buffer }>;
  set(key: string, value: string | Buffer, options: object): Promise<boolean>;
  close(): void;
}

const FOR_EVER = {};

export const connect: Connect = async (servers) => {
  const { default: memjs } = await load<Memjs>("memjs");
  const client = memjs.Client.create(servers.join(","), { timeout: 10 });
  return {
    carriesBytes: true,
    get: async (key) => (await client.get(key)).value.toString(),
    set: (key, value) => client.set(key, value, FOR_EVER),
    getObject: async (key) => JSON.parse((await client.get(key)).value.toString()),
    setObject: (key, value) => client.set(key, JSON.stringify(value), FOR_EVER),
    getBlob: async (key) => (await client.get(key)).value,
    setBlob: (key, value) => client.set(key, value, FOR_EVER),
    getMulti: (keys) => Promise.all(keys.map((key) => client.get(key))),
    pick: (result, _, i) => (result as { value: Buffer }[])[i]?.value.toString(),
    close: () => client.close(),
  };
};

import { type Connect, load } from "./peer.js";

interface IoredisModule {
  readonly Redis: new (port: number, host: string) => Client;
}

interface Client {
  get(key: string): Promise<string | null>;
  getBuffer(key: string): Promise<Buffer | null>;
  mget(keys: readonly string[]): Promise<(string | null)[]>;
  set(key: string, value: string | Buffer): Promise<unknown>;
  disconnect(): void;
}

/** Another server altogether, for context. */
export const connect: Connect = async ([server = ""]) => {
  const { Redis } = await load<IoredisModule>("ioredis");
  const [host = "", port] = server.split(":");
  const client = new Redis(Number(port), host);
  return {
    carriesBytes: true,
    get: (key) => client.get(key),
    set: (key, value) => client.set(key, value),
    getObject: async (key) => JSON.parse((await client.get(key)) ?? "null"),
    setObject: (key, value) => client.set(key, JSON.stringify(value)),
    getBlob: (key) => client.getBuffer(key),
    setBlob: (key, value) => client.set(key, value),
    getMulti: (keys) => client.mget(keys),
    pick: (result, _, i) => (result as (string | null)[])[i],
    close: () => client.disconnect(),
  };
};

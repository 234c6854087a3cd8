import type { Row } from "../load/data.js";
import type { Connect } from "./peer.js";

/** A client of a map in this process: what the rig itself costs, and JSON alone. */
export const connect: Connect = async () => {
  const values = new Map<string, string | Buffer>();
  const get = (key: string) => Promise.resolve(values.get(key));
  const set = (key: string, value: string | Buffer) => {
    values.set(key, value);
    return Promise.resolve(true);
  };
  return {
    carriesBytes: true,
    get,
    set,
    getObject: (key) => Promise.resolve(JSON.parse(String(values.get(key)))),
    setObject: (key: string, value: Row) => set(key, JSON.stringify(value)),
    getBlob: get,
    setBlob: set,
    getMulti: (keys) => Promise.resolve(new Map(keys.map((key) => [key, values.get(key)]))),
    pick: (result, key) => (result as Map<string, unknown>).get(key),
    close: () => {},
  };
};

import { LOOSE } from "../numeral.js";
import type { Session } from "../session.js";
import { BAD_DATA, BAD_FORMAT, type Block, type Command, ERROR } from "./command.js";

/** The longest configuration; a cluster's list has some 100 bytes for each server. */
const MAX_BYTES = 1024 * 1024;

/**
 * `config get <name>`, and `config set <name> <flags> <bytes>` with a data block: what the
 * memcached of ElastiCache and Memorystore adds. Where nothing is announced there is no such
 * command.
 */
function config({ instance }: Session, words: readonly string[]): string | Block {
  const { configurations } = instance;
  const [, action, name = "", ...numbers] = words;
  if (configurations === undefined) return ERROR;
  if (action === "get" && words.length === 3) {
    const found = configurations.get(name);
    if (found === undefined) return "END\r\n";
    const { flags, data } = found;
    return `CONFIG ${name} ${flags} ${data.length}\r\n${data}\r\nEND\r\n`;
  }
  if (action !== "set" || words.length !== 5) return ERROR;
  const [flags, length] = numbers.map((digits) => LOOSE.uint32(digits));
  if (flags === undefined || length === undefined || length > MAX_BYTES) return BAD_FORMAT;
  return {
    length,
    malformed: BAD_DATA,
    finish: (data) => {
      configurations.set(name, { flags, data });
      return "STORED\r\n";
    },
  };
}

export const CONFIG: Readonly<Record<string, Command>> = {
  config: { min: 1, max: Number.POSITIVE_INFINITY, run: config },
};

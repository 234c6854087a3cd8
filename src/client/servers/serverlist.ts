import { isIPv6 } from "node:net";
import { DEFAULT_PORT } from "../../connection/address.js";
import type { RingServer } from "../../ring/ring.js";
import { checkText } from "../../util/check.js";
import { Word } from "./word.js";

/**
 * Reads a list as libmemcached's tools and `memcached_servers_parse` take it:
 * `host:port:weight, host:port, /path, …`. Port and weight may be left out, and a blank
 * may stand before the weight.
 *
 * libmemcached keeps the brackets of an IPv6 address, pylibmc takes them off, and a ring
 * differs by them; here they come off.
 * @throws OptionError that names the token, its line and column
 */
export function parseServerList(text: string): RingServer[] {
  if (checkText(text, "A list of servers").trim() === "") return [];
  return [...text.matchAll(/(?:^|(?<=,))[^,]*/g)].map(({ 0: part, index }) => {
    const indent = part.length - part.trimStart().length;
    return listed(new Word(part.trim(), text, index + indent, undefined));
  });
}

function listed(item: Word): RingServer {
  if (item.text.startsWith("/")) return { host: item.text, port: 0, weight: 1 };
  return serverIn(
    item,
    /^(?:([^\s:[\]]+)|\[([^\]]+)\])(?::(\d+)(?:[: ]\s*(\d+))?)?$/,
    "host:port:weight",
  );
}

/** @param pattern - has groups for a name, an address in brackets, a port and a weight */
export function serverIn(word: Word, pattern: RegExp, form: string): RingServer {
  const match = pattern.exec(word.text);
  if (match === null || (match[2] !== undefined && !isIPv6(match[2]))) {
    throw word.error(`is not a server; write ${form}, where port and weight may be left out`);
  }
  const [, name, address, port = DEFAULT_PORT, weight = 1] = match;
  if (Number(port) > 65535) throw word.error("has a port over 65535");
  return { host: name ?? address!, port: Number(port), weight: Number(weight) };
}

import { Client, type ClientOptions } from "tslibmc";
import { expect, test } from "vitest";

/**
 * Where memjs 1.3.2, memcached 2.2.2 and memcache 1.7.0 put keys on three servers, asked of
 * themselves (`getServer`, `HashRing.get`, `KetamaHash.getNodesByKey`); in the third column
 * memcached with the weights 1, 2 and 3, the last server being `cache:11213`.
 */
const RECORDED: Readonly<
  Record<string, readonly [memjs: number, even: number, uneven: number, memcache: number]>
> = {
  "15838": [1, 1, 1, 1],
  "47514": [0, 2, 1, 0],
  "79190": [2, 1, 1, 0],
  "110866": [1, 0, 0, 1],
  "142542": [0, 2, 0, 2],
  "174218": [2, 2, 2, 2],
  "user:0": [0, 2, 2, 1],
  "a/b/c-7919": [1, 0, 2, 2],
  "Zzz_long_key_with_text:23757": [1, 2, 2, 1],
  "user:31676": [0, 2, 1, 1],
  "a/b/c-39595": [0, 1, 2, 2],
  "Zzz_long_key_with_text:55433": [2, 2, 0, 0],
  "user:63352": [2, 1, 2, 0],
  "a/b/c-71271": [1, 1, 1, 0],
  "Zzz_long_key_with_text:87109": [0, 1, 1, 0],
  "user:95028": [1, 2, 1, 2],
  "a/b/c-102947": [1, 2, 0, 2],
  "Zzz_long_key_with_text:118785": [0, 1, 2, 2],
  "user:126704": [0, 2, 2, 1],
  "a/b/c-134623": [2, 2, 1, 0],
  "Zzz_long_key_with_text:150461": [2, 0, 0, 2],
  "user:158380": [1, 2, 1, 1],
  "a/b/c-166299": [0, 1, 2, 0],
  "Zzz_long_key_with_text:182137": [1, 0, 0, 0],
};

const EVEN = ["10.0.0.1:11211", "10.0.0.2:11211", "10.0.0.3:11212"];
const UNEVEN = ["10.0.0.1:11211:1", "10.0.0.2:11211:2", "cache:11213:3"];

function javaHash(key: string): number {
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = (31 * hash + key.charCodeAt(i)) | 0;
  return Math.abs(hash);
}

function memcacheHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = ((hash ^ text.charCodeAt(i)) * 0x1000193) | 0;
  return hash ^ 0x80000000;
}

function memcachePoint(label: string): number {
  const [, server = "", i] = /^(.*)-(\d+)$/.exec(label) ?? [];
  const named = server.includes(":") ? server : `${server}:11211`;
  return memcacheHash(`${named}\0${(Number(i) % 50) + 1}`);
}

const MEMCACHE: ClientOptions = {
  behaviors: { distribution: "consistent", hash: memcacheHash },
  placement: { pointHash: memcachePoint },
};

test.each<[string, readonly string[], ClientOptions, 0 | 1 | 2 | 3]>([
  ["memjs", EVEN, { behaviors: { hash: javaHash } }, 0],
  ["memcached", EVEN, { behaviors: { ketama_weighted: true } }, 1],
  ["memcached, with weights", UNEVEN, { behaviors: { ketama_weighted: true } }, 2],
  ["memcache", EVEN, MEMCACHE, 3],
])("keys of %s are found by what its page says", (_, servers, options, column) => {
  const client = new Client(servers, options);
  for (const [key, indexes] of Object.entries(RECORDED)) {
    expect(client.serverFor(key).index, key).toBe(indexes[column]);
  }
});

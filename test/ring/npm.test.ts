import { Client, type ClientOptions } from "tslibmc";
import { expect, test } from "vitest";

/**
 * Where memjs 1.3.2 and memcached 2.2.2 put keys on three servers, asked of themselves
 * (`getServer`, `HashRing.get`); in the third column with the weights 1, 2 and 3, the last
 * server being `cache:11213`.
 */
const RECORDED: Readonly<Record<string, readonly [memjs: number, even: number, uneven: number]>> = {
  "15838": [1, 1, 1],
  "47514": [0, 2, 1],
  "79190": [2, 1, 1],
  "110866": [1, 0, 0],
  "142542": [0, 2, 0],
  "174218": [2, 2, 2],
  "user:0": [0, 2, 2],
  "a/b/c-7919": [1, 0, 2],
  "Zzz_long_key_with_text:23757": [1, 2, 2],
  "user:31676": [0, 2, 1],
  "a/b/c-39595": [0, 1, 2],
  "Zzz_long_key_with_text:55433": [2, 2, 0],
  "user:63352": [2, 1, 2],
  "a/b/c-71271": [1, 1, 1],
  "Zzz_long_key_with_text:87109": [0, 1, 1],
  "user:95028": [1, 2, 1],
  "a/b/c-102947": [1, 2, 0],
  "Zzz_long_key_with_text:118785": [0, 1, 2],
  "user:126704": [0, 2, 2],
  "a/b/c-134623": [2, 2, 1],
  "Zzz_long_key_with_text:150461": [2, 0, 0],
  "user:158380": [1, 2, 1],
  "a/b/c-166299": [0, 1, 2],
  "Zzz_long_key_with_text:182137": [1, 0, 0],
};

const EVEN = ["10.0.0.1:11211", "10.0.0.2:11211", "10.0.0.3:11212"];
const UNEVEN = ["10.0.0.1:11211:1", "10.0.0.2:11211:2", "cache:11213:3"];

function javaHash(key: string): number {
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = (31 * hash + key.charCodeAt(i)) | 0;
  return Math.abs(hash);
}

test.each<[string, readonly string[], ClientOptions, 0 | 1 | 2]>([
  ["memjs", EVEN, { behaviors: { hash: javaHash } }, 0],
  ["memcached", EVEN, { behaviors: { ketama_weighted: true } }, 1],
  ["memcached, with weights", UNEVEN, { behaviors: { ketama_weighted: true } }, 2],
])("keys of %s are found by what its page says", (_, servers, options, column) => {
  const client = new Client(servers, options);
  for (const [key, indexes] of Object.entries(RECORDED)) {
    expect(client.serverFor(key).index, key).toBe(indexes[column]);
  }
});

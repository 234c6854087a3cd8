/** Counting: atomic on the server, exact to 64 bits. */
import { Client } from "tslibmc";

await using client = new Client("127.0.0.1:11211");

// A counter that is missing is a miss, unless the call says what it starts with.
console.log(await client.incr("visits")); // undefined
console.log(await client.incr("visits", 1, { initial: 1, ttl: 86400 })); // 1
console.log(await client.incr("visits", 10)); // 11
console.log(await client.decr("visits", 100)); // 0

// Past 2^53 a number would be rounded: count with bigints there.
await client.set("big", 2n ** 60n);
console.log(await client.incr("big", 1n)); // 1152921504606846977n

// Many at once, with a delta for each.
await client.setMulti({ likes: 5, shares: 1 });
const deltas = new Map([
  ["likes", 2],
  ["shares", 1],
]);
console.log(await client.incrMulti(deltas)); // Map(2) { 'likes' => 7, 'shares' => 2 }

/** The meta commands: what only memcached 1.6 can say. */
import { Client } from "tslibmc";

await using client = new Client<string>("127.0.0.1:11211");

// One reader wins the right to fill a missing item; the others know that somebody does.
const first = await client.metaGet("report", { vivify: 30 });
const second = await client.metaGet("report", { vivify: 30 });
console.log(first?.won, second?.won, second?.alreadyWon); // true false true

await client.metaSet("report", "42 pages", { ttl: 600 });
const item = await client.metaGet("report", { returnTtl: true, returnSize: true });
console.log(item?.value, item?.ttl, item?.size); // 42 pages 600 8

// Serve the old value while one reader makes the new one.
await client.metaDelete("report", { invalidate: true, ttl: 30 });
const stale = await client.metaGet("report");
console.log(stale?.value, stale?.stale, stale?.won); // 42 pages true true

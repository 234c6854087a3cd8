/** Failures are typed, and never look like misses. */
import { Client, ConnectError, KeyError, type MemcachedError, TimeoutError } from "tslibmc";

await using client = new Client("127.0.0.1:11211");

// A key that memcached cannot hold is refused before anything is sent.
const injected = await client.get("a\r\nflush_all").catch((error: unknown) => error);
console.log(injected instanceof KeyError, (injected as KeyError).sent); // true false

// The server's own refusal keeps its words, and the connection goes on.
await client.set("text", "abc");
const refused = await client.incr("text").catch((error: unknown) => error);
console.log((refused as MemcachedError).code); // ERR_MEMCACHED_CLIENT_ERROR
console.log(await client.get("text")); // abc

// A server that is not there.
await using nobody = new Client("127.0.0.1:1", { timeoutMs: 500 });
const failed = await nobody.get("k").catch((error: unknown) => error);
console.log(failed instanceof ConnectError, failed instanceof TimeoutError); // true false

// `sent` says whether repeating the call is always safe.
console.log((failed as ConnectError).sent, (failed as ConnectError).server); // false 127.0.0.1:1

// An AbortSignal ends a call at once, with the signal's own reason.
const reason = await client
  .get("text", { signal: AbortSignal.abort("not needed any more") })
  .catch((error: unknown) => error);
console.log(reason); // not needed any more

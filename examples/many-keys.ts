/** Many keys in one round trip to each server, and what happens when one is down. */
import { Client, PartialError } from "tslibmc";

await using client = new Client(["127.0.0.1:11211", "127.0.0.1:11212"]);

console.log(await client.setMulti({ red: 0xf00, green: 0x0f0, blue: 0x00f })); // []
const colours = await client.getMulti(["red", "green", "purple"]);
console.log(colours.get("red"), colours.get("purple")); // 3840 undefined

// Keys with a common prefix: it is sent, and left out of the results.
await client.setMulti({ a: 1, b: 2 }, { keyPrefix: "page:", ttl: 60 });
console.log((await client.getMulti(["a", "b"], { keyPrefix: "page:" })).size); // 2
console.log(await client.get("page:a")); // 1

// A server that is down costs its own keys only, and the call says so.
await using half = new Client(["127.0.0.1:11211", "127.0.0.1:1"]);
try {
  await half.getMulti(["red", "green", "blue", "one", "two", "three"]);
} catch (error) {
  if (!(error instanceof PartialError)) throw error;
  console.log(error.results instanceof Map, [...error.errors.keys()]); // true [ '127.0.0.1:1' ]
}

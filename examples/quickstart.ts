/** The first minute: connect, store, read, miss. */
import { Client } from "tslibmc";

await using client = new Client("127.0.0.1:11211");

console.log(await client.set("foo", "Hello world!")); // true
console.log(await client.get("foo")); // Hello world!
console.log(await client.get("bar")); // undefined

// Strings, numbers, booleans, bigints and bytes keep their types, and so do JSON's.
await client.set("user:1", { name: "Ada", langs: ["en", "fr"] }, { ttl: 3600 });
console.log(await client.get("user:1")); // { name: 'Ada', langs: [ 'en', 'fr' ] }

console.log(await client.delete("foo")); // true

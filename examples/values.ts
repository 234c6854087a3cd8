/** What may be stored, and values of one's own. */
import { CacheMiss, Client, CodecError } from "tslibmc";

await using client = new Client("127.0.0.1:11211");
await client.setMulti({
  text: "naïve",
  bytes: Buffer.from([0, 255]),
  yes: true,
  count: 42,
  huge: 2n ** 70n,
  nothing: null,
  json: { deep: [1.5, "two"] },
});
const keys = ["text", "bytes", "yes", "count", "huge", "nothing", "json"];
for (const value of (await client.getMulti(keys)).values()) console.log(typeof value);

try {
  await client.set("function", () => 1);
} catch (error) {
  console.log(error instanceof CodecError); // true
}

// Compression as pylibmc does it: by call, or for the whole client.
await client.set("page", "<p>".repeat(10_000), { compress: { minLength: 100 } });
console.log((await client.get<string>("page"))?.length); // 30000

// A type of one's own. Old versions of it count as misses.
interface Point {
  readonly x: number;
  readonly y: number;
}
const VERSION = 2;
await using points = new Client<Point>("127.0.0.1:11211", {
  serializer: {
    serialize: ({ x, y }) => ({ data: `${VERSION}:${x},${y}`, flags: 1 << 16 }),
    deserialize(data) {
      const [version, x, y] = Buffer.from(data).toString().split(/[:,]/).map(Number);
      if (version !== VERSION) throw new CacheMiss(`version ${version}`);
      return { x: x ?? 0, y: y ?? 0 };
    },
  },
});
await points.set("point", { x: 3, y: 4 });
console.log(await points.get("point")); // { x: 3, y: 4 }
await client.set("point", "1:3,4");
console.log(await points.get("point")); // undefined

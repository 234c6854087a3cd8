/**
 * The tour, which `npm start` runs: what pylibmc's README shows, then real work on real files.
 *
 *   npm start                                  the embedded server, the files of src/
 *   npm start -- some/folder                   the files of a folder
 *   MEMCACHED_SERVERS=host:port,… npm start    servers of your own
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { Client, ClientPool, type Stats } from "tslibmc";
import { MemcachedServer } from "tslibmc/testing";

const folder = process.argv[2] ?? "src";
const given = process.env["MEMCACHED_SERVERS"];
if (!existsSync(folder)) giveUp(new Error(`There is no folder ${folder}`));
const embedded = given === undefined ? await MemcachedServer.start() : undefined;
const servers = embedded === undefined ? (given ?? "").split(",") : [embedded.address];

/** Runs a step, and says what it took. */
async function step<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
  const start = performance.now();
  const result = await work();
  const took = `${(performance.now() - start).toFixed(1)} ms`;
  console.log(`  ${what.padEnd(58)} ${took.padStart(9)}`);
  return result;
}

function show(call: string, result: unknown): void {
  console.log(`  > ${call}`);
  console.log("   ", result);
}

/** Whoever tries this first wants to read what is wrong, and no stack. */
function giveUp({ message }: Error): never {
  console.error(`\n${message}`);
  process.exit(1);
}

function heading(text: string): void {
  console.log(`\n${text}`);
}

heading(`Connecting to ${servers.join(", ")}${embedded ? " (embedded)" : ""}`);
await using mc = new Client(servers, { timeoutMs: 10_000 }); // a folder may be large
show("await mc.version()", await mc.version().catch(giveUp));
show('await mc.set("foo", "Hello world!")', await mc.set("foo", "Hello world!"));
show('await mc.get("foo")', await mc.get("foo"));
show('await mc.get("bar")', await mc.get("bar"));

heading("The binary protocol");
await using binary = new Client(servers, { binary: true });
show('await binary.get("foo")', await binary.get("foo"));

heading("Behaviors, by pylibmc's names");
show('mc.behaviors["hash"]', mc.behaviors["hash"]);
mc.behaviors["hash"] = "fnv1a_32";
show('mc.behaviors["hash"] = "fnv1a_32"; mc.behaviors["hash"]', mc.behaviors["hash"]);
mc.behaviors["hash"] = "default";
show("Object.keys(mc.behaviors).length", Object.keys(mc.behaviors).length);

heading("A pool, for exclusive use");
await using pool = new ClientPool(mc, 4);
const hello = await pool.reserve(async (own) => {
  await own.set("hello", "world");
  return own.get("hello");
});
show('await pool.reserve((own) => own.set(…), own.get("hello"))', hello);

heading(`Real work: the files of ${relative(process.cwd(), folder) || folder}`);
const files = new Map<string, Buffer>();
for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue;
  const path = join(entry.parentPath, entry.name);
  // A key has no blanks; encodeURI takes care of them and of little else.
  const key = `tour:${encodeURI(relative(folder, path))}`;
  const bytes = readFileSync(path);
  if (Buffer.byteLength(key) <= 250 && bytes.length < 1_000_000) files.set(key, bytes);
}
const size = [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0);
const failed = await step(`setMulti: ${files.size} files, ${size} bytes`, () =>
  mc.setMulti(files, { ttl: 600 }),
);
const found = await step(`getMulti: the same ${files.size} keys`, () =>
  mc.getMulti<Buffer>(files.keys()),
);
const equal = [...files].filter(([key, bytes]) => found.get(key)?.equals(bytes)).length;
console.log(`  ${equal} of ${files.size} are equal byte for byte, ${failed.length} failed`);
if (equal !== files.size) process.exitCode = 1;

await mc.delete("tour:lines");
await step("incr: the lines of every file, one call each", () =>
  Promise.all(
    [...files.values()].map((bytes) => {
      const lines = bytes.filter((byte) => byte === 10).length;
      return mc.incr("tour:lines", lines, { initial: lines, ttl: 600 });
    }),
  ),
);
show('await mc.get("tour:lines")', await mc.get("tour:lines"));

await mc.set("tour:largest", [] as [string, number][], 600);
await step("gets and cas: ten writers share one list", () =>
  Promise.all([...files].slice(0, 10).map(([key, bytes]) => remember(key, bytes.length))),
);
show('await mc.get("tour:largest")', await mc.get("tour:largest"));

/** Adds an entry to the list that others add to at the same time. */
async function remember(key: string, bytes: number): Promise<void> {
  for (;;) {
    const list = await mc.gets<[string, number][]>("tour:largest");
    if (list === undefined) throw new Error("tour:largest is gone");
    const longer = [...list.value, [key, bytes] as [string, number]];
    longer.sort(([, a], [, b]) => b - a);
    if (await mc.cas("tour:largest", longer.slice(0, 3), list.cas, 600)) return;
  }
}

heading("What the servers say");
for (const [name, stats] of await mc.getStats()) {
  console.log(`  ${name}  ${summary(stats)}`);
}

function summary(stats: Stats): string {
  const names = ["curr_items", "bytes", "cmd_get", "get_hits", "get_misses", "cmd_set"];
  return names.map((name) => `${name} ${stats[name]}`).join(", ");
}

await mc.deleteMulti([...files.keys(), "foo", "hello", "tour:lines", "tour:largest"]);
await Promise.all([mc.close(), binary.close(), pool.close()]);
await embedded?.close();

import * as fc from "fast-check";
import { MemcachedServer } from "tslibmc/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Memcached, startMemcached } from "../../support/memcached.js";
import { COMPAT, describeAgainst, VERSION } from "../support/counterpart.js";
import { exchange } from "../support/wire.js";

/** `DIFFERENTIAL_RUNS=4000` is the long form: over 100,000 commands. */
const RUNS = Number(process.env["DIFFERENTIAL_RUNS"] ?? 120);
const SEED = process.env["DIFFERENTIAL_SEED"];

let real: Memcached;
let plain: Memcached;
let embedded: MemcachedServer;

beforeAll(async () => {
  // Its background thread would hold on to items now and then, which shows in the replies.
  real = await startMemcached({ args: ["-t", "1", "-o", "no_lru_maintainer"] });
  plain = await startMemcached({ args: ["-t", "1"] });
  embedded = await MemcachedServer.start({ compat: COMPAT });
});

afterAll(async () => {
  await real?.[Symbol.asyncDispose]();
  await plain?.[Symbol.asyncDispose]();
  await embedded?.close();
});

const pick = (...words: string[]) => fc.constantFrom(...words);

const key = fc.oneof(
  { weight: 12, arbitrary: pick("a", "b", "n", "m") },
  { weight: 1, arbitrary: pick("k".repeat(250), "k".repeat(251), "\xff\x01", "t\tb", "noreply") },
);
const number = fc.oneof(
  { weight: 8, arbitrary: pick("0", "1", "5", "10", "99") },
  {
    weight: 2,
    arbitrary: pick("-1", "+5", "5.0", "abc", "4294967295", "4294967296", "0x10", "5\t", "007"),
  },
  {
    weight: 1,
    arbitrary: pick(
      "18446744073709551615",
      "18446744073709551616",
      "-18446744073709551615",
      "-9223372036854775808",
      "99999999999",
      "2147483647",
      "2147483648",
      "9223372036854775808",
    ),
  },
);
const exptime = fc.oneof(
  { weight: 8, arbitrary: pick("0", "100", "1000", "100000") },
  { weight: 2, arbitrary: pick("-1", "2592001", "1.5", "x", "99999999999", "2147483648") },
);
/**
 * What values may be: any bytes but blanks alone, since memcached reads a number in such a value
 * from whatever lies behind it in memory. And for 1.6.18 no minus that a later number could have behind it, for
 * which it looks there if the number is 2^63 or more, and refuses to count.
 */
const CERTAIN = COMPAT === "newest" ? /[^ \t\n\v\f\r]/ : /^[^-]*[^- \t\n\v\f\r][^-]*$|^-3$/;
const data = fc
  .oneof(
    pick("", "x", "5", "99", "100", " 7", "-3", "12 ", "18446744073709551615", "END\r\n"),
    COMPAT === "newest" ? pick("18446744073709551615 -", "-9223372036854775809", "5 -") : pick("x"),
    fc.string({
      maxLength: 40,
      unit: fc.integer({ min: 0, max: 255 }).map((c) => String.fromCharCode(c)),
    }),
  )
  .filter((bytes) => bytes === "" || CERTAIN.test(bytes));
const noreply = fc.oneof(
  { weight: 6, arbitrary: fc.constant("") },
  { weight: 1, arbitrary: pick(" noreply", " NOREPLY", " noreply x") },
);
const length = (text: string) =>
  fc.oneof(
    { weight: 20, arbitrary: fc.constant(String(text.length)) },
    {
      weight: 1,
      arbitrary: pick(String(text.length + 1), "-1", "x", "99999999", `+${text.length}`),
    },
  );
const lineEnd = fc.oneof(
  { weight: 12, arbitrary: fc.constant("\r\n") },
  { weight: 1, arbitrary: pick("\n", " \r\n", "\r\r\n") },
);
const line = (...parts: fc.Arbitrary<string>[]) =>
  fc.tuple(...parts, lineEnd).map((words) => words.join(""));

const space = fc.oneof(
  { weight: 20, arbitrary: fc.constant(" ") },
  { weight: 1, arbitrary: pick("  ", "") },
);

const storage = fc
  .tuple(data, pick("set", "add", "replace", "append", "prepend", "cas"))
  .chain(([text, name]) =>
    fc
      .tuple(key, number, exptime, length(text), number, noreply, lineEnd)
      .map(([k, flags, exp, size, cas, quiet, end]) => {
        const token = name === "cas" ? ` ${cas}` : "";
        return `${name} ${k} ${flags} ${exp} ${size}${token}${quiet}${end}${text}\r\n`;
      }),
  );

const retrieval = fc.oneof(
  line(pick("get", "gets", "bget", "get a"), space, key),
  line(pick("gat", "gats"), space, exptime, space, key),
);

const mutation = fc.oneof(
  line(pick("incr", "decr"), space, key, space, number, noreply),
  line(fc.constant("touch"), space, key, space, exptime, noreply),
  line(fc.constant("delete"), space, key, pick("", "", "", " 0", " 5", " 0 noreply"), noreply),
);

const admin = line(
  pick(
    "version",
    "verbosity 0",
    "verbosity noreply",
    "flush_all",
    "flush_all noreply",
    "flush_all -1",
    "flush_all x",
    "quit",
    "mn",
    "foo",
    "a",
    "",
    "get",
    "gat 10",
    "set a 0 0",
    "stats nosuch",
    "ms",
    "mg",
    "mx a",
    "cache_memlimit 64",
    "slabs reassign 1 1",
  ),
);

const metaWord = fc.oneof(
  {
    weight: 12,
    arbitrary: pick("c", "f", "h", "k", "s", "t", "v", "q", "u", "Oxyz", "O", "I", "P1", "L1"),
  },
  { weight: 6, arbitrary: exptime.chain((exp) => pick("T", "N").map((flag) => flag + exp)) },
  { weight: 2, arbitrary: pick("R50", "R500", "R5000", "Rx") },
  { weight: 3, arbitrary: number.chain((n) => pick("C", "D", "J", "F").map((flag) => flag + n)) },
  {
    weight: 3,
    arbitrary: pick("MA", "MP", "MS", "ME", "MR", "MI", "MD", "M+", "M-", "MX", "M", "MSS"),
  },
  {
    weight: 1,
    arbitrary: pick("!", "\xff", "E5", "x", "b", `O${"o".repeat(31)}`, `O${"o".repeat(32)}`),
  },
);
const metaFlags = fc
  .oneof(
    { weight: 20, arbitrary: fc.array(metaWord, { maxLength: 6 }) },
    { weight: 1, arbitrary: fc.array(metaWord, { minLength: 15, maxLength: 22 }) },
  )
  .map((words) => words.map((word) => ` ${word}`).join(""));
const metaKey = fc.oneof(
  { weight: 6, arbitrary: key },
  { weight: 1, arbitrary: pick("YQ== b", "Yg== b", "/wE= b", "YQ b", "???? b") },
);
const meta = fc.oneof(
  line(pick("mg", "mg", "md", "ma"), space, metaKey, metaFlags),
  line(fc.constant("me"), space, metaKey),
  data.chain((text) =>
    fc.tuple(metaKey, length(text), metaFlags, lineEnd).map(([k, size, flags, end]) => {
      const [name, inBase64] = k.split(" ");
      return `ms ${name} ${size}${inBase64 === undefined ? "" : " b"}${flags}${end}${text}\r\n`;
    }),
  ),
);

/** Lines that one answer is enough to compare for, on a server that holds nothing. */
const SINGLE = [
  "version",
  "version x",
  "verbosity",
  "verbosity 0",
  "verbosity x",
  "verbosity noreply",
  "flush_all",
  "flush_all noreply",
  "flush_all 0",
  "flush_all -1",
  "flush_all x",
  "flush_all noreply x",
  "mn",
  "mn foo",
  "shutdown",
  "GET a",
  "foo",
  "foo HTTP/1.1",
  "a",
  "",
  "get",
  "gat 10",
  "set a 0 0",
  "stats nosuch",
  "stats reset",
  "stats sizes",
  "stats sizes_disable",
  "stats detail on",
  "stats detail off",
  "stats detail",
  "stats detail x",
  "stats cachedump",
  "stats cachedump x 1",
  "stats cachedump 1",
  "stats cachedump 99 1",
  "cache_memlimit",
  "cache_memlimit 3",
  "cache_memlimit 64",
  "cache_memlimit x",
  "cache_memlimit 7",
  "cache_memlimit 8",
  "cache_memlimit 1000000001",
  "slabs",
  "slabs reassign 1 1",
  "slabs reassign 99 1",
  "slabs reassign 1 2",
  "slabs reassign 1",
  "slabs reassign 1 2 3",
  "slabs reassign -1 2",
  "slabs reassign -2 2",
  "slabs reassign 1 -1",
  "slabs reassign 1 0",
  "slabs reassign 0 1",
  "slabs reassign 39 1",
  "slabs reassign 40 1",
  "slabs reassign 63 1",
  "slabs reassign 1 39",
  "slabs reassign 1 40",
  "slabs reassign 1 x",
  "slabs reassign x 1",
  "slabs automove",
  "slabs automove 0",
  "slabs automove 1",
  "slabs automove 2",
  "slabs automove 3",
  "slabs automove ratio",
  "slabs automove ratio 0.5",
  "slabs automove ratio x",
  "slabs automove x",
  "lru",
  "lru mode",
  "lru mode segmented",
  "lru mode x",
  "lru tune 10 20 0.1 2.0",
  "lru tune 50 50 0.1 2.0",
  "lru tune 40 40 0.1 2.0",
  "lru tune 40 41 0.1 2.0",
  "lru tune 10 20 0.1",
  "lru tune x 20 0.1 2.0",
  "lru tune 10 x 0.1 2.0",
  "lru tune 10 20 0.1 0",
  "lru tune 10 20 0.1 x",
  "lru tune 10 20 0 2.0",
  "lru tune 10 20 x 2.0",
  "lru temp_ttl -1",
  "lru temp_ttl 5",
  "lru temp_ttl x",
  "lru mode flat",
  "lru x 1",
  "lru_crawler",
  "lru_crawler x",
  "lru_crawler crawl x",
  "lru_crawler crawl 0",
  "lru_crawler tocrawl 0",
  "lru_crawler tocrawl x",
  "lru_crawler sleep 100",
  "lru_crawler sleep 2000000",
  "lru_crawler metadump x",
  "lru_crawler metadump 99",
  "lru_crawler mgdump all",
  "watch x",
  "refresh_certs",
  "ms",
  "mg",
  "mx a",
  "set a",
  "set a 0 0 1 2 3",
  "incr a",
  "incr",
  "incr a 1 2 3",
  "touch a",
  "delete",
  "delete a b c d",
  "gets",
  "gat",
  "cas a 0 0 1",
  "mg a b c d e f g h i j k l m n o p q r s t",
  "verbosity 1 2 3",
  "flush_all 1 2 3",
  "stats cachedump 1 0",
  "stats items",
  "lru_crawler crawl all",
  "lru_crawler enable",
  "lru_crawler disable x",
  "debugtime 1",
  "bget",
  "watch fetchers x",
  "append a 0 0 0 noreply x",
  "version noreply",
  " version",
  " get a",
  "  flush_all",
  " nosuch",
  "   ",
  "foo noreply",
  "noreply",
  " get a noreply",
  "slabs noreply",
  "slabs automove 0 noreply",
  "lru_crawler enable noreply",
  "lru_crawler crawl all noreply",
  "shutdown noreply",
  "stats noreply",
  "set a 0 0 x noreply",
  "set a x 0 0 noreply",
  `incr ${"k".repeat(251)} 1 noreply`,
  `set a 0 0 1 ${"x ".repeat(20)}noreply`,
  `incr a 1 ${"x ".repeat(17)}noreply`,
  `incr a 1 ${"x ".repeat(19)}noreply`,
  `incr a 1 ${"x ".repeat(20)}noreply`,
  `touch a 1 ${"x ".repeat(40)}`,
  `gat 0 ${"x ".repeat(40)}`,
  `ma ${"k".repeat(251)}`,
  `ma a ${"q ".repeat(20)}`,
  `mg a ${"q ".repeat(18)}`,
  `mg a ${"q ".repeat(20)}!`,
  `mg a ${"q ".repeat(21)}!`,
  `mg a ${"q ".repeat(22)}!`,
  `ms a 0 ${"q ".repeat(19)}!`,
  `ms a 0 ${"q ".repeat(20)}!`,
  "shutdown graceful",
];

const step = fc.oneof(
  { weight: 6, arbitrary: storage },
  { weight: 4, arbitrary: retrieval },
  { weight: 4, arbitrary: mutation },
  { weight: 1, arbitrary: admin },
  { weight: 10, arbitrary: meta },
);

/**
 * The newest releases remember the cas of an \`ms\` that failed on a connection, and give it to what is
 * stored next on that one, or on one that takes its place. Another \`ms\` makes them forget.
 */
const EMPTY = "ms forget 0 T-1\r\n\r\n";

/** Makes times equal that may differ by a tick of the two clocks. */
function normalize(reply: string): string {
  return reply
    .replace(/ (t|exp=)(-?\d{2,})/g, (_, name, seconds) => ` ${name}${Math.round(seconds / 100)}`)
    .replace(/ (l|la=)\d+/g, " $1");
}

describeAgainst(`against memcached ${VERSION}`, () => {
  it.each(SINGLE)("answers %j with the same bytes", async (command) => {
    const request = `${command}\r\n`;
    const fresh = await MemcachedServer.start({ compat: COMPAT, debug: false });
    const ours = await exchange(fresh.port, request);
    await fresh.close();
    expect(ours).toBe(await exchange(plain.port, request));
  });

  it("answers random commands, right and wrong, with the same bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        const sent: string[] = [];
        for (const request of ["flush_all\r\n", ...steps]) {
          sent.push(request);
          const [theirs, ours] = await Promise.all([
            exchange(real.port, request),
            exchange(embedded.port, request),
          ]);
          expect(normalize(ours), JSON.stringify(sent)).toBe(normalize(theirs));
          if (!request.startsWith("ms ")) continue;
          await Promise.all([exchange(real.port, EMPTY), exchange(embedded.port, EMPTY)]);
        }
      }),
      { numRuns: RUNS, ...(SEED === undefined ? {} : { seed: Number(SEED) }) },
    );
  }, 600_000);
});

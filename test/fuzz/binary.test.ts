import fc from "fast-check";
import { MemcachedError } from "tslibmc";
import { expect, test } from "vitest";
import { flushAllRequest, statsRequest } from "../../src/commands/admin.js";
import { arithmeticRequest } from "../../src/commands/arithmetic.js";
import { deleteRequest } from "../../src/commands/deletion.js";
import {
  getAndTouchRequest,
  getRequest,
  hasRequest,
  manyRequest,
  touchRequest,
} from "../../src/commands/retrieval.js";
import { setRequest } from "../../src/commands/storage.js";
import { type Request, VERSION_REQUEST } from "../../src/protocol/request.js";
import { Exchanges, packet, packetsIn, uint32 } from "../protocol/binary/exchanges.js";

/** Each test tries so many inputs; FUZZ_RUNS=1000000 is the long form. */
const numRuns = Number(process.env["FUZZ_RUNS"] ?? 3_000);
const TIME_LIMIT_MS = 60_000 + numRuns * 5;

const request = fc
  .boolean()
  .chain((noreply) =>
    fc.constantFrom<Request>(
      getRequest("a"),
      manyRequest(["a", "b", "c"], noreply),
      touchRequest("a", 1, noreply),
      getAndTouchRequest("a", true, 5),
      hasRequest("a"),
      setRequest("set", "a", "v", 0, 0, undefined, noreply),
      setRequest("add", "a", "v", 0, 0, undefined, false),
      deleteRequest("a", noreply),
      arithmeticRequest("incr", "a", 1, undefined, 0, noreply),
      statsRequest(undefined),
      VERSION_REQUEST,
      flushAllRequest(0, noreply),
    ),
  );
const quiet = fc.constantFrom(
  setRequest("set", "a", "v", 0, 0, undefined, false),
  deleteRequest("a", false),
);
const batch = fc.array(
  fc.oneof(
    request.map((each) => ({ request: each, quiet: false })),
    quiet.map((each) => ({ request: each, quiet: true })),
  ),
  { minLength: 1, maxLength: 6 },
);

/** How the answer to a packet differs from one that memcached might give. */
const twist = fc.record({
  status: fc.constantFrom(0, 0, 0, 1, 2, 5, 6, 0x20, 0x21, 0x81, 0x85),
  key: fc.constantFrom("", "a", "b", "c"),
  value: fc.constantFrom("", "v", "12345678", "v".repeat(100)),
  hasFlags: fc.boolean(),
  /** A byte of the header that is another one. */
  change: fc.option(fc.tuple(fc.nat(23), fc.nat(255)), { freq: 12 }),
  /** Whether it comes not at all, once or twice. */
  times: fc.constantFrom(0, 1, 1, 1, 1, 2),
});
type Twist = typeof twist extends fc.Arbitrary<infer Made> ? Made : never;

function answerTo(sent: Buffer, { status, key, value, hasFlags, change, times }: Twist): Buffer {
  const extras = hasFlags ? uint32(1) : Buffer.alloc(0);
  const [opcode, opaque] = [sent[1]!, sent.readUInt32BE(12)];
  const bytes = packet({ opcode, opaque, status, key, value, extras });
  if (change !== null) bytes[change[0]] = change[1];
  return Buffer.concat(Array.from({ length: times }, () => bytes));
}

test(
  "packets that are nearly answers, cut anywhere, end in answers or in a typed error",
  () => {
    let answers = 0;
    let errors = 0;
    const twists = fc.array(twist, { minLength: 20, maxLength: 20 });
    fc.assert(
      fc.property(batch, twists, fc.array(fc.nat(400)), (requests, ways, cuts) => {
        const exchanges = new Exchanges();
        const sent = packetsIn(exchanges.writeSome(...requests));
        try {
          const replies = sent.map((bytes, i) => answerTo(bytes, ways[i % ways.length]!));
          exchanges.push(Buffer.concat(replies), cuts);
        } catch (error) {
          if (!(error instanceof MemcachedError)) throw error;
          errors++;
        }
        answers += exchanges.answers.length;
        const accounted = exchanges.answers.length + exchanges.unanswered;
        expect(accounted).toBeLessThanOrEqual(requests.length);
      }),
      { numRuns },
    );
    // Neither is the exception, or this would show nothing.
    expect(answers).toBeGreaterThan(numRuns / 10);
    expect(errors).toBeGreaterThan(numRuns / 10);
  },
  TIME_LIMIT_MS,
);

import fc from "fast-check";
import { ProtocolError } from "tslibmc";
import { test } from "vitest";
import { ConnectError } from "../../../src/errors.js";
import type { Request } from "../../../src/protocol/request.js";
import { count, del, Exchanges, get, getMany, set, stats, version } from "./exchanges.js";

/** A request with a reply that a server could give to it, and what that means. */
interface Talk {
  readonly request: Request;
  /** What stands for it in the reply to its line; a get that shares one has no END of its own. */
  readonly reply: string;
  readonly outcome: unknown;
}

const key = fc.string({ unit: fc.constantFrom(..."abcdef"), minLength: 1, maxLength: 3 });
const bytes = fc.oneof(
  fc.string({ unit: "binary-ascii", maxLength: 40 }),
  fc.constantFrom("END\r\n", "VALUE a 0 1\r\n", "\r\n", "STORED\r\n", ""),
);
const flags = fc.nat(0xffffffff);
const casToken = fc.bigInt(0n, 2n ** 64n - 1n);
const line = fc.string({ unit: fc.constantFrom(..."abc 123"), maxLength: 20 });

function hit(data: string, itemFlags: number, cas?: bigint, index = 0) {
  return { index, data, flags: itemFlags, cas, info: undefined };
}

const single: fc.Arbitrary<Talk> = fc
  .record({ key, bytes, flags, cas: fc.option(casToken, { nil: undefined }), there: fc.boolean() })
  .map(({ key, bytes, flags, cas, there }) => ({
    request: get(key, { cas: cas !== undefined }),
    reply: there
      ? `VALUE ${key} ${flags} ${bytes.length}${cas === undefined ? "" : ` ${cas}`}\r\n${bytes}\r\n`
      : "",
    outcome: { items: there ? [hit(bytes, flags, cas)] : [], end: "miss" },
  }));

const many: fc.Arbitrary<Talk> = fc
  .uniqueArray(fc.tuple(key, bytes, flags, fc.boolean()), {
    minLength: 1,
    maxLength: 8,
    selector: ([key]) => key,
  })
  .map((entries) => {
    const found = entries.flatMap(([key, bytes, flags, there], index) =>
      there ? [{ key, bytes, flags, index }] : [],
    );
    return {
      request: getMany(entries.map(([key]) => key)),
      reply: `${found
        .map(({ key, bytes, flags }) => `VALUE ${key} ${flags} ${bytes.length}\r\n${bytes}\r\n`)
        .join("")}END\r\n`,
      outcome: {
        items: found.map(({ bytes, flags, index }) => hit(bytes, flags, undefined, index)),
        end: "miss",
      },
    };
  });

const metaGet: fc.Arbitrary<Talk> = fc
  .record({ key, bytes, flags, there: fc.boolean() })
  .map(({ key, bytes, flags, there }) => ({
    request: get(key, { touch: 0 }),
    reply: there ? `VA ${bytes.length} f${flags}\r\n${bytes}\r\n` : "EN\r\n",
    outcome: there
      ? { items: [{ ...hit(bytes, flags), info: { flags } }], end: "hit" }
      : { items: [], end: ["miss", {}] },
  }));

function word(request: fc.Arbitrary<Request>, words: readonly [string, unknown][]) {
  return fc.tuple(request, fc.constantFrom(...words)).map(
    ([request, [reply, end]]): Talk => ({
      request,
      reply: `${reply}\r\n`,
      outcome: { items: [], end },
    }),
  );
}

const storage = word(
  fc.tuple(key, bytes).map(([key, bytes]) => set(key, Buffer.from(bytes, "latin1"))),
  [
    ["STORED", "stored"],
    ["NOT_STORED", "notStored"],
    ["SERVER_ERROR out of memory", "serverError: SERVER_ERROR out of memory"],
  ],
);
const deletion = word(
  key.map((key) => del(key)),
  [
    ["DELETED", "ok"],
    ["NOT_FOUND", "notFound"],
    ["CLIENT_ERROR bad", "clientError: CLIENT_ERROR bad"],
  ],
);
const counting = word(
  key.map((key) => count(key)),
  [
    ["7", 7],
    ["18446744073709551615", 2n ** 64n - 1n],
    ["NOT_FOUND", "notFound"],
  ],
);
const admin: fc.Arbitrary<Talk> = fc.oneof(
  line.map((text) => ({
    request: version,
    reply: `VERSION ${text}\r\n`,
    outcome: { items: [], end: text },
  })),
  line.map((text) => ({
    request: stats(),
    reply: `STAT name ${text}\r\nEND\r\n`,
    outcome: { items: [], end: { name: text } },
  })),
);

/** No key twice in a batch, since a server that has an item gives it to all that ask. */
const talks = fc.uniqueArray(
  fc.oneof({ weight: 4, arbitrary: single }, many, metaGet, storage, deletion, counting, admin),
  {
    minLength: 1,
    maxLength: 30,
    selector: ({ request }) => ("key" in request ? request.key : request),
  },
);

/** The replies of a batch: gets that are neighbours and alike share one END. */
function replies(batch: readonly Talk[]): string {
  return batch
    .map(({ request, reply }, i) => {
      if (request.verb !== "get" || request.keys !== undefined || request.touch !== undefined)
        return reply;
      const next = batch[i + 1]?.request;
      const joined =
        next?.verb === "get" &&
        next.keys === undefined &&
        next.touch === undefined &&
        next.cas === request.cas;
      return joined ? reply : `${reply}END\r\n`;
    })
    .join("");
}

test("every request gets its own answer, however many go out at once and however the bytes come", () => {
  fc.assert(
    fc.property(
      fc.array(talks, { maxLength: 3 }),
      fc.infiniteStream(fc.nat(60)),
      (batches, steps) => {
        const exchanges = new Exchanges();
        for (const batch of batches) exchanges.write(...batch.map(({ request }) => request));
        const received = batches.map(replies).join("");
        const cuts: number[] = [];
        for (let at = 0; at < received.length; at += steps.next().value ?? 1) {
          if (at > (cuts.at(-1) ?? -1)) cuts.push(at);
          if (cuts.length > 500) break;
        }
        exchanges.read(received, ...cuts);
        const expected = batches.flat().map(({ outcome }) => outcome);
        if (exchanges.unanswered !== 0) throw new Error(`${exchanges.unanswered} unanswered`);
        compare(exchanges.outcomes, expected);
      },
    ),
    { numRuns: 500 },
  );
});

function compare(found: unknown, expected: unknown): void {
  const show = (value: unknown) =>
    JSON.stringify(value, (_, part) => (typeof part === "bigint" ? `${part}n` : part));
  if (show(found) !== show(expected)) throw new Error(`${show(found)}\nis not\n${show(expected)}`);
}

/** Whether reading ends in answers or in a typed error, and never gives anybody more than one. */
function survives(batch: readonly Talk[], received: string, cut: number): void {
  const exchanges = new Exchanges();
  exchanges.write(...batch.map(({ request }) => request));
  try {
    exchanges.read(received, Math.min(cut, received.length));
  } catch (error) {
    if (!(error instanceof ProtocolError || error instanceof ConnectError)) throw error;
  }
}

const garbage = fc.oneof(
  fc.string({ unit: "binary-ascii", maxLength: 60 }),
  fc
    .array(
      fc.constantFrom(
        ...["VALUE ", "a", "END", "\r\n", " ", "0", "1", "-", "99999999999", "STORED", "HD", "VA "],
        ...["EN", "SERVER_ERROR ", "ERROR", "CLIENT_ERROR", "STAT ", "f0", "k", "O", "\n", "\r"],
      ),
      { maxLength: 12 },
    )
    .map((words) => words.join("")),
);

test("replies that were tampered with end in answers or in a ProtocolError", () => {
  const tampered = fc.tuple(talks, fc.nat(), fc.nat(20), garbage, fc.nat());
  fc.assert(
    fc.property(tampered, ([batch, at, removed, inserted, cut]) => {
      const whole = replies(batch);
      const from = at % (whole.length + 1);
      const received = whole.slice(0, from) + inserted + whole.slice(from + removed);
      survives(batch, received, cut % (received.length + 1));
    }),
    { numRuns: Number(process.env["FUZZ_RUNS"] ?? 3_000) },
  );
});

test("garbage ends in answers or in a ProtocolError", () => {
  fc.assert(
    fc.property(talks, fc.array(garbage, { maxLength: 20 }), fc.nat(), (batch, parts, cut) =>
      survives(batch, parts.join(""), cut),
    ),
    { numRuns: Number(process.env["FUZZ_RUNS"] ?? 3_000) },
  );
});

import fc from "fast-check";
import { ConnectError, ConnectionClosedError, ProtocolError } from "tslibmc";
import { test } from "vitest";
import { Exchanges } from "../protocol/text/exchanges.js";
import { replies, type Talk, talks } from "../protocol/text/talks.js";

/** Each test tries so many inputs; FUZZ_RUNS=1000000 is the long form. */
const numRuns = Number(process.env["FUZZ_RUNS"] ?? 3_000);
const TIME_LIMIT_MS = 60_000 + numRuns * 5;

/** Whether reading ends in answers or in a typed error, and never gives anybody more than one. */
function survives(batch: readonly Talk[], received: string, cut: number): void {
  const exchanges = new Exchanges();
  exchanges.write(...batch.map(({ request }) => request));
  try {
    exchanges.read(received, Math.min(cut, received.length));
  } catch (error) {
    const kinds = [ProtocolError, ConnectError, ConnectionClosedError];
    if (!kinds.some((kind) => error instanceof kind)) throw error;
  }
  const ended = exchanges.outcomes.map(({ end }) => end !== undefined);
  if (ended.lastIndexOf(true) > ended.indexOf(false) && ended.includes(false)) {
    throw new Error("An answer overtook another");
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

test(
  "replies that were tampered with end in answers or in a ProtocolError",
  () => {
    const tampered = fc.tuple(talks, fc.nat(), fc.nat(20), garbage, fc.nat());
    fc.assert(
      fc.property(tampered, ([batch, at, removed, inserted, cut]) => {
        const whole = replies(batch);
        const from = at % (whole.length + 1);
        const received = whole.slice(0, from) + inserted + whole.slice(from + removed);
        survives(batch, received, cut % (received.length + 1));
      }),
      { numRuns },
    );
  },
  TIME_LIMIT_MS,
);

test(
  "garbage ends in answers or in a ProtocolError",
  () => {
    fc.assert(
      fc.property(talks, fc.array(garbage, { maxLength: 20 }), fc.nat(), (batch, parts, cut) =>
        survives(batch, parts.join(""), cut),
      ),
      { numRuns },
    );
  },
  TIME_LIMIT_MS,
);

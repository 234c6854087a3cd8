import fc from "fast-check";
import { test } from "vitest";
import { Exchanges } from "./exchanges.js";
import { replies, talks } from "./talks.js";

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

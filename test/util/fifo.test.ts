import fc from "fast-check";
import { expect, test } from "vitest";
import { Fifo } from "../../src/util/fifo.js";

/** What can be done to a queue, on ours and on an array. */
const action = fc.oneof(
  { weight: 5, arbitrary: fc.nat(1000).map((n) => ({ kind: "push", n }) as const) },
  { weight: 4, arbitrary: fc.constant({ kind: "shift" } as const) },
  // Past what it has room for at first, from wherever its head is.
  fc.integer({ min: 10, max: 70 }).map((n) => ({ kind: "pushMany", n }) as const),
  fc.nat(150).map((n) => ({ kind: "at", n }) as const),
  fc.constant({ kind: "drain" } as const),
  fc.integer({ min: 2, max: 5 }).map((n) => ({ kind: "retain", n }) as const),
);

test("does what an array does", () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 300 }), (actions) => {
      const fifo = new Fifo<number>();
      let model: number[] = [];
      for (const { kind, ...rest } of actions) {
        const n = "n" in rest ? rest.n : 0;
        if (kind === "push") {
          fifo.push(n);
          model.push(n);
        } else if (kind === "pushMany") {
          for (let item = 0; item < n; item++) {
            fifo.push(item);
            model.push(item);
          }
        } else if (kind === "shift") {
          expect(fifo.shift()).toBe(model.shift());
        } else if (kind === "at") {
          expect(fifo.at(n)).toBe(model[n]);
        } else if (kind === "drain") {
          expect(fifo.drain()).toEqual(model);
          model = [];
        } else {
          fifo.retain((item) => item % n !== 0);
          model = model.filter((item) => item % n !== 0);
        }
        expect(fifo.length).toBe(model.length);
      }
      expect(fifo.drain()).toEqual(model);
    }),
    { numRuns: 200 },
  );
});

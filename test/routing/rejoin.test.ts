import fc from "fast-check";
import { TimeoutError } from "tslibmc";
import { describe, expect, test } from "vitest";
import type { Request } from "../../src/protocol/request.js";
import { Rejoin, type RejoinEvent } from "../../src/routing/rejoin.js";

function deletion(key: string): Request {
  return { verb: "delete", key, compareCas: undefined, noreply: false, meta: undefined };
}

/** What happens during a request: a key is missed, its reply is lost, or nothing comes of it. */
type Happening = number | "fails" | "is refused";

/** A server that holds old values of the keys whose changes it missed. */
class Holder {
  readonly stale = new Set<string>();
  readonly events: Omit<RejoinEvent, "server">[] = [];
  readonly rejoin: Rejoin;
  readonly #during: Happening[];

  /** @param during - what happens during each request that it gets */
  constructor(action: "flush" | "delete", maxRemembered: number, during: Happening[]) {
    this.#during = during;
    this.rejoin = new Rejoin({ action, maxRemembered }, 3, {
      ask: (request) => this.#ask(request),
      done: (event) => this.events.push(event),
    });
  }

  misses(key: string): void {
    this.stale.add(key);
    this.rejoin.missed(deletion(key));
  }

  async #ask(request: Request): Promise<void> {
    const what = this.#during.pop();
    if (what === "is refused") throw new TimeoutError("it never arrived");
    if (request.verb === "delete") this.stale.delete(request.key);
    else {
      // One that is delayed takes new values with it, and one without a reply may have failed.
      expect(request).toMatchObject({ action: "flushAll", delay: 0, noreply: false });
      this.stale.clear();
    }
    if (typeof what === "number") this.misses(String(what));
    await Promise.resolve();
    if (what === "fails") throw new TimeoutError("nothing came back");
  }
}

const happenings = fc.array(fc.oneof(fc.nat(9), fc.constantFrom("fails", "is refused")), {
  maxLength: 20,
});

test("once nothing is left to do no old value is left, whatever fails or is missed meanwhile", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(9), { maxLength: 12 }),
      happenings,
      fc.nat(10),
      async (missed, during, maxRemembered) => {
        const holder = new Holder("delete", maxRemembered, during);
        for (const key of missed) holder.misses(String(key));
        let rounds = 0;
        for (let work = holder.rejoin.prepare(); work; work = holder.rejoin.catchUp()) {
          await work.catch(() => {});
          expect(holder.rejoin.remembered).toBeLessThanOrEqual(maxRemembered);
          expect(++rounds).toBeLessThan(100);
        }
        expect([...holder.stale]).toEqual([]);
        expect(holder.events).toHaveLength(rounds);
      },
    ),
  );
});

test("a flush that fails is repeated, and nothing is remembered", async () => {
  const holder = new Holder("flush", 10, ["fails"]);
  holder.misses("a");
  expect(holder.rejoin.remembered).toBe(0);
  await expect(holder.rejoin.prepare()).rejects.toThrow("nothing came back");
  await holder.rejoin.prepare();
  expect(holder.events).toMatchObject([
    { action: "flush", error: {} },
    { action: "flush", keys: 0 },
  ]);
  expect(holder.rejoin.flushes).toBe(1);
  expect(holder.rejoin.catchUp()).toBeUndefined();
});

test("what is no change is not remembered", () => {
  const { rejoin } = new Holder("delete", 10, []);
  rejoin.missed({ verb: "admin", action: "version", key: "" });
  const read = {
    verb: "get",
    key: "a",
    keys: undefined,
    value: true,
    cas: false,
    noreply: false,
  } as const;
  rejoin.missed({ ...read, touch: undefined, meta: undefined });
  expect(rejoin.remembered).toBe(0);
  rejoin.missed({ ...read, touch: 60, meta: undefined });
  rejoin.missed({ ...read, touch: 60, meta: { base64Key: true } });
  expect(rejoin.remembered).toBe(2);
});

describe("a server that can be asked and misses a change", () => {
  const change = deletion("a");
  const read: Request = {
    verb: "get",
    key: "a",
    keys: undefined,
    value: true,
    cas: false,
    touch: undefined,
    noreply: false,
    meta: undefined,
  };

  test("has it deleted at once, and remembered where that fails", async () => {
    const holder = new Holder("delete", 10, ["fails"]);
    holder.stale.add("a");
    await holder.rejoin.delete(change);
    expect([holder.rejoin.remembered, holder.rejoin.deletions]).toEqual([1, 0]);
    await holder.rejoin.delete(change);
    expect(holder.rejoin.deletions).toBe(1);
    expect([...holder.stale]).toEqual([]);
    await holder.rejoin.catchUp();
    expect([holder.rejoin.remembered, holder.rejoin.deletions]).toEqual([0, 2]);
    expect(holder.events).toEqual([{ action: "delete", keys: 1, error: undefined }]);
  });

  test.each([
    ["delete", read],
    ["flush", change],
  ] as const)(
    "keeps what it has with %s, where nothing was changed or all was flushed",
    async (action, request) => {
      const holder = new Holder(action, 10, []);
      holder.stale.add("a");
      await holder.rejoin.delete(request);
      expect([...holder.stale]).toEqual(["a"]);
    },
  );
});

test("a deletion that fails ends it until the next time, and is told", async () => {
  const failing = Array<Happening>(4).fill("is refused");
  const holder = new Holder("delete", 10, failing);
  for (const key of ["a", "b", "c", "d"]) holder.misses(key);
  await expect(holder.rejoin.catchUp()).rejects.toThrow("it never arrived");
  expect(failing).toHaveLength(1); // three are asked for at once
  expect(holder.events).toEqual([{ action: "delete", keys: 0, error: expect.any(TimeoutError) }]);
  await expect(holder.rejoin.catchUp()).rejects.toThrow("it never arrived");
  await holder.rejoin.catchUp();
  expect(holder.stale.size).toBe(0);
});

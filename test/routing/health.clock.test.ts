import fc from "fast-check";
import { TimeoutError } from "tslibmc";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Failure } from "../../src/connection/failure.js";
import { Health, type HealthEvent, type HealthOptions } from "../../src/routing/health.js";

const failure = new Failure(TimeoutError, "get timed out", "s:1");

/** A server that says nothing, and what its health did about it. */
function patient(
  options: Partial<HealthOptions> = {},
  prepare: () => Promise<void> | undefined = () => undefined,
) {
  const events: HealthEvent[] = [];
  /** When probes were sent, and how to end the one under way. */
  const probes: number[] = [];
  let end: (() => void) | undefined;
  const health = new Health(
    "s:1",
    { failureLimit: 3, retryTimeoutMs: 2000, deadTimeoutMs: 0, rampUpMs: 0, ...options },
    {
      probe: (done) => {
        expect(end).toBeUndefined();
        probes.push(performance.now());
        end = done;
      },
      prepare,
      changed: (event) => events.push(event),
    },
  );
  return {
    health,
    probes,
    states: () => events.map(({ state }) => state),
    events,
    /** The probe under way fails as a silent server's does. */
    probeFails: () => {
      health.failed(failure);
      const done = end;
      end = undefined;
      done?.();
    },
    probeSucceeds: () => {
      health.succeeded();
      const done = end;
      end = undefined;
      done?.();
    },
  };
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("the states", () => {
  test("failures in a row lead from up to dead, and any reply back", () => {
    const { health, states, events } = patient();
    health.failed(failure);
    expect([health.state, health.accepts]).toEqual(["failing", true]);
    health.succeeded();
    for (let n = 0; n < 3; n++) health.failed(failure);
    expect([health.state, health.accepts]).toEqual(["dead", false]);
    health.succeeded();
    expect([health.state, health.accepts]).toEqual(["up", true]);
    expect(states()).toEqual(["failing", "up", "failing", "dead", "up"]);
    expect(events[3]).toMatchObject({ server: "s:1", previous: "failing", state: "dead" });
    expect(events[3]?.error).toBeInstanceOf(TimeoutError);
    expect(events[4]).toEqual({ server: "s:1", previous: "dead", state: "up", error: undefined });
  });

  test("a reply between failures starts the count again: slow is not dead", () => {
    const { health, states } = patient();
    for (let n = 0; n < 50; n++) {
      health.failed(failure);
      health.failed(failure);
      health.succeeded();
    }
    expect(states()).not.toContain("dead");
  });

  test("a limit of 1 makes the first failure the last", () => {
    const { health, states } = patient({ failureLimit: 1 });
    health.failed(failure);
    expect(states()).toEqual(["dead"]);
  });

  test("where no connection can be made nothing is sent, dead or not", () => {
    const { health } = patient();
    health.failed(failure, 70);
    expect([health.state, health.accepts]).toEqual(["failing", false]);
    expect(health.refusal.message).toBe("get timed out; the next attempt is due in 71 ms");
    health.succeeded();
    expect(health.accepts).toBe(true);
  });

  test("a dead server's refusal says why and until when", () => {
    const { health } = patient({ failureLimit: 1, deadTimeoutMs: 3000 });
    health.failed(failure);
    expect(health.refusal.message).toBe(
      "s:1 is dead after a failure: get timed out; the next attempt is due in 3001 ms",
    );
    expect(health.refusal.error).toMatchObject({ code: "ERR_MEMCACHED_CONNECT", sent: false });
  });

  test("the limits may change, and hold for the next failure", () => {
    const options = { failureLimit: 3, retryTimeoutMs: 2000, deadTimeoutMs: 0, rampUpMs: 0 };
    const health = new Health("s:1", options, {
      probe: () => {},
      prepare: () => undefined,
      changed: () => {},
    });
    health.failed(failure);
    options.failureLimit = 2;
    health.failed(failure);
    expect(health.state).toBe("dead");
    health.stop();
  });

  test("whatever happens, up accepts and dead does not, and events are the way between", () => {
    const happening = fc.oneof(
      fc.constant("reply" as const),
      fc.constant("failure" as const),
      fc.record({ retryInMs: fc.nat(500) }),
      fc.record({ passes: fc.nat(5000) }),
    );
    fc.assert(
      fc.property(
        fc.array(happening, { maxLength: 60 }),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(0, 1000),
        fc.constantFrom(0, 800),
        (happenings, failureLimit, deadTimeoutMs, rampUpMs) => {
          const { health, events } = patient({ failureLimit, deadTimeoutMs, rampUpMs });
          let inRow = 0;
          let isBack = true;
          for (const each of happenings) {
            if (each === "reply") {
              const before = health.state;
              health.succeeded();
              const after = rampUpMs > 0 && before === "dead" ? "returning" : "up";
              if (before === "returning") expect(health.state).toBe("returning");
              else if (before !== "dead" || deadTimeoutMs === 0) expect(health.state).toBe(after);
            } else if (each === "failure") health.failed(failure);
            else if ("retryInMs" in each) health.failed(failure, each.retryInMs);
            else vi.advanceTimersByTime(each.passes);
            const failed = each === "failure" || (typeof each === "object" && "retryInMs" in each);
            inRow = failed ? inRow + 1 : health.accepts && health.state !== "failing" ? 0 : inRow;
            // One failure is enough for a server that is not back yet.
            const lost = inRow >= failureLimit || (inRow > 0 && !isBack);
            if (inRow === 0) isBack = health.state === "up";
            if (!health.isAway) isBack = true;
            expect(health.state === "dead").toBe(lost);
            if (health.state === "up" || health.state === "returning") {
              expect(health.accepts).toBe(true);
            }
            if (health.state === "dead") expect([health.accepts, health.share]).toEqual([false, 0]);
            if (!health.isAway) expect(health.share).toBe(1);
          }
          let state = "up";
          for (const event of events) {
            expect(event.previous).toBe(state);
            expect(event.state).not.toBe(state);
            state = event.state;
          }
          expect(health.state).toBe(state);
          health.stop();
        },
      ),
    );
  });
});

describe("probes", () => {
  test("are sent from the first failure on, each pause twice as long, up to retry_timeout", () => {
    vi.spyOn(Math, "random").mockReturnValue(1);
    const { health, probes, probeFails } = patient({ failureLimit: 100, retryTimeoutMs: 500 });
    let last = performance.now();
    const pauses: number[] = [];
    health.failed(failure);
    for (let n = 0; n < 6; n++) {
      while (probes.length === n) vi.advanceTimersByTime(1);
      pauses.push(probes[n]! - last);
      last = probes[n]!;
      probeFails();
    }
    expect(pauses).toEqual([51, 101, 201, 401, 501, 501]);
    health.stop();
  });

  test("are sent one at a time", () => {
    const { health, probes, probeFails } = patient({ failureLimit: 100 });
    health.failed(failure);
    for (let n = 0; n < 12; n++) {
      vi.advanceTimersByTime(3000);
      probeFails();
    }
    vi.advanceTimersByTime(3000);
    expect(probes).toHaveLength(13);
    vi.advanceTimersByTime(60_000); // the last is never answered, and no other is sent
    expect(probes).toHaveLength(13);
    health.stop();
  });

  test("begin anew with short pauses when the server has answered", () => {
    vi.spyOn(Math, "random").mockReturnValue(1);
    const { health, probes, probeFails, probeSucceeds } = patient({ failureLimit: 100 });
    for (let n = 0; n < 2; n++) {
      const began = performance.now();
      health.failed(failure);
      vi.advanceTimersByTime(51);
      probeFails();
      vi.advanceTimersByTime(101);
      expect(probes.splice(0)).toEqual([began + 51, began + 152]);
      probeSucceeds();
    }
    health.stop();
  });

  test("come as soon as ever where something was doubted before, and was well", () => {
    vi.spyOn(Math, "random").mockReturnValue(1);
    const { health, probes, probeSucceeds } = patient();
    for (let n = 0; n < 10; n++) {
      const began = performance.now();
      health.doubted();
      health.doubted();
      vi.advanceTimersByTime(60_000);
      expect(probes.splice(0)).toEqual([began + 51]);
      probeSucceeds();
    }
    const began = performance.now();
    health.failed(failure);
    vi.advanceTimersByTime(60_000);
    expect(probes).toEqual([began + 51]);
    health.stop();
  });

  test("come within retry_timeout, spread by chance", () => {
    const gaps = Array.from({ length: 20 }, () => {
      const { health, probes, probeFails } = patient({ retryTimeoutMs: 400 });
      health.failed(failure);
      for (let n = 0; n < 600; n++) {
        vi.advanceTimersByTime(5);
        if (probes.length < 8) probeFails();
      }
      health.stop();
      return probes[7]! - probes[6]!;
    });
    for (const gap of gaps) {
      expect(gap).toBeGreaterThanOrEqual(200);
      expect(gap).toBeLessThanOrEqual(406);
    }
    expect(new Set(gaps).size).toBeGreaterThan(5);
  });

  test("wait for the next attempt to connect, where that is known", () => {
    const { health, probes } = patient();
    const began = performance.now();
    health.failed(failure, 730);
    vi.advanceTimersByTime(730);
    expect(probes).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(probes).toEqual([began + 731]);
    health.stop();
  });

  test("leave a dead server alone for dead_timeout; then the first answer brings it back", () => {
    const { health, probes, probeSucceeds } = patient({ failureLimit: 1, deadTimeoutMs: 5000 });
    health.failed(failure);
    vi.advanceTimersByTime(4990);
    health.succeeded(); // an answer from before
    expect([health.state, probes]).toEqual(["dead", []]);
    vi.advanceTimersByTime(20);
    expect(probes).toHaveLength(1);
    probeSucceeds();
    expect(health.state).toBe("up");
    vi.advanceTimersByTime(60_000);
    expect(probes).toHaveLength(1);
  });

  test("leave a dead server alone for longer than a timer can be, too", () => {
    const { health, probes } = patient({ failureLimit: 1, deadTimeoutMs: 1e12 });
    health.failed(failure);
    vi.advanceTimersByTime(3_600_000);
    expect([health.state, probes]).toEqual(["dead", []]);
    health.stop();
  });

  test("are not sent to a server that is returning", () => {
    const { health, probes, probeSucceeds } = patient({ failureLimit: 1, rampUpMs: 9000 });
    health.failed(failure);
    vi.advanceTimersByTime(100);
    probeSucceeds();
    expect(health.state).toBe("returning");
    vi.advanceTimersByTime(8000);
    expect(probes).toHaveLength(1);
    health.stop();
  });

  test("end with the server's membership", () => {
    const { health, probes } = patient();
    health.failed(failure);
    health.stop();
    health.failed(failure);
    vi.advanceTimersByTime(60_000);
    expect(probes).toEqual([]);
  });
});

describe("the share of a returning server", () => {
  test("begins with a tenth and grows evenly until it has all of its keys", () => {
    const { health, states } = patient({ failureLimit: 1, rampUpMs: 1000 });
    expect(health.share).toBe(1);
    health.failed(failure);
    expect(health.share).toBe(0);
    health.succeeded();
    const shares = Array.from({ length: 10 }, () => {
      const { share } = health;
      vi.advanceTimersByTime(100);
      health.succeeded(); // replies change nothing about it
      return Math.round(share * 100);
    });
    expect(shares).toEqual([10, 19, 28, 37, 46, 55, 64, 73, 82, 91]);
    expect([health.state, health.share, health.isAway]).toEqual(["up", 1, false]);
    expect(states()).toEqual(["dead", "returning", "up"]);
  });

  test("is gone with the first failure, whatever the limit, for dead_timeout", () => {
    const { health, states } = patient({ failureLimit: 3, rampUpMs: 1000, deadTimeoutMs: 5000 });
    for (let n = 0; n < 3; n++) health.failed(failure);
    vi.advanceTimersByTime(5000);
    health.succeeded();
    vi.advanceTimersByTime(500);
    health.failed(failure);
    expect([health.state, health.share, health.accepts]).toEqual(["dead", 0, false]);
    vi.advanceTimersByTime(4000);
    health.succeeded();
    expect(health.state).toBe("dead");
    vi.advanceTimersByTime(1000);
    health.succeeded();
    expect(health.share).toBeCloseTo(0.1);
    vi.advanceTimersByTime(1000);
    expect(states().slice(1)).toEqual(["dead", "returning", "dead", "returning", "up"]);
  });
});

describe("a server that has to be readied", () => {
  test("stays dead until that is done, and is readied once for each time that it was dead", async () => {
    const prepare = vi.fn<() => Promise<void> | undefined>();
    const { health, states, probes, probeSucceeds } = patient({ failureLimit: 1 }, prepare);
    for (let n = 1; n <= 2; n++) {
      const { promise, resolve } = withResolvers();
      prepare.mockReturnValueOnce(promise);
      health.failed(failure);
      vi.advanceTimersByTime(100);
      probeSucceeds();
      health.succeeded();
      expect(health.refusal.message).toMatch(/the next attempt is due in 0 ms$/);
      vi.advanceTimersByTime(60_000);
      expect([health.state, health.accepts, probes.length]).toEqual(["dead", false, n]);
      expect(prepare).toHaveBeenCalledTimes(n);
      resolve();
      await promise;
      expect([health.state, health.accepts]).toEqual(["up", true]);
    }
    expect(states()).toEqual(["dead", "up", "dead", "up"]);
  });

  test("is readied by an answer that comes before the probe, which is not sent any more", async () => {
    const { promise, resolve } = withResolvers();
    const { health, probes } = patient({ failureLimit: 1 }, () => promise);
    health.failed(failure, 500);
    health.succeeded(); // of a request from before
    expect(health.refusal.message).toMatch(/the next attempt is due in 0 ms$/);
    vi.advanceTimersByTime(60_000);
    resolve();
    await promise;
    expect([health.state, probes]).toEqual(["up", []]);
  });

  test("leaves no timer behind if its client was closed meanwhile", async () => {
    const { promise, resolve } = withResolvers();
    const { health, states } = patient({ failureLimit: 1, rampUpMs: 1000 }, () => promise);
    health.failed(failure);
    health.succeeded();
    health.stop();
    resolve();
    await promise;
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(60_000);
    expect(states()).toEqual(["dead", "returning"]);
  });

  test("stays dead if that fails, until another probe is answered", async () => {
    const refused = Promise.reject(new TimeoutError("flush_all timed out"));
    const prepare = vi.fn<() => Promise<void> | undefined>().mockReturnValueOnce(refused);
    const { health, probes, probeSucceeds } = patient({ failureLimit: 1 }, prepare);
    health.failed(failure);
    vi.advanceTimersByTime(100);
    probeSucceeds();
    await expect(refused).rejects.toThrow();
    health.succeeded(); // the refusal itself
    expect(health.state).toBe("dead");
    expect(health.refusal.message).toMatch(/a failure: flush_all timed out; the next/);
    vi.advanceTimersByTime(200);
    expect(probes).toHaveLength(2);
    probeSucceeds();
    expect(health.state).toBe("up");
    expect(prepare).toHaveBeenCalledTimes(2);
  });
});

import { beforeAll, describe, expect, test } from "vitest";
import type { Figures } from "../support/scenario/figures.js";
import { POLICIES, type Policy } from "../support/scenario/policy.js";
import { broken } from "../support/scenario/promises.js";
import { play } from "../support/scenario/scenario.js";
import type { Fault } from "../support/scenario/stage.js";

/** Short but for silence: a server that is well is to answer within that on a busy machine, too. */
const SHORT = { beforeMs: 200, faultMs: 1_200, afterMs: 300, silenceMs: 3_000 };

/** Plays a fault to clients of several policies at once; a test for each says what it did not keep. */
export function playing(fault: Fault, policies = POLICIES): void {
  describe(fault.name, () => {
    let outcome: Map<Policy, Figures>;
    beforeAll(async () => {
      outcome = await play(fault, policies, SHORT);
    }, 120_000);

    test.each(policies)("$name keeps what it promises", (policy) => {
      const figures = outcome.get(policy)!;
      expect(broken(fault, policy, figures), JSON.stringify(figures)).toEqual([]);
    });
  });
}

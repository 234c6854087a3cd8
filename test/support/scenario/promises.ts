import type { Figures } from "./figures.js";
import type { Policy } from "./policy.js";
import type { Fault } from "./stage.js";

/** What a policy promises under a fault and has not kept; none of it is a matter of milliseconds. */
export function broken(fault: Fault, policy: Policy, figures: Figures): string[] {
  const { shows, empties } = fault;
  const isHarmless = shows === "nothing";
  const mayFail = !isHarmless && !policy.neverFails && !(policy.moves && shows === "loss");
  const mayBeStale =
    !empties && !isHarmless && (policy.moves || policy.name === "replicas") && !policy.forgets;
  const { errors, moved, deaths } = figures;
  const kept: [promise: string, isKept: boolean][] = [
    ["every value is the key's own", figures.wrong === 0],
    ["every call is settled", figures.neverSettled === 0],
    ["every error has a class", figures.untyped === 0],
    ["keys of other servers do not suffer", figures.errorsElsewhere === 0],
    ["keys of other servers do not move", figures.movedElsewhere === 0],
    [
      "an old value is a returned server's, until the key is written",
      figures.staleUnexplained === 0,
    ],
    ["no value is old", mayBeStale || figures.stale === 0],
    ["every error is of the fault's kind", isAmong(figures.errorNames, fault.errors)],
    ["no call fails", mayFail || errors === 0],
    [
      "no call fails once another server has the keys",
      !policy.moves || figures.errorsOnceDead === 0,
    ],
    ["a server that answers is not given up", !isHarmless || deaths === 0],
    ["no key moves", (policy.moves && !isHarmless) || moved === 0],
    ["keys of a dead server move", !policy.moves || deaths === 0 || moved > 0],
    ["a server that comes and goes is given up once", !policy.moves || deaths <= 1],
    ["traffic flows again", figures.flowsMs !== undefined],
    ["values are found", figures.hits > 0],
  ];
  return kept.flatMap(([promise, isKept]) => (isKept ? [] : [promise]));
}

/** A call on many keys fails with one error for all of them. */
function isAmong(names: Figures["errorNames"], expected: readonly string[] | undefined): boolean {
  if (expected === undefined) return true;
  return Object.keys(names).every((name) => name === "PartialError" || expected.includes(name));
}

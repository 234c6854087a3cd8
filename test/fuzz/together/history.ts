/** What a key holds: null where there is nothing. */
export type Held = string | number | null;

/** One call on one key, from when it was made to when its result was there. */
export interface Step {
  readonly by: string;
  readonly key: string;
  readonly kind: keyof typeof EFFECTS;
  /** What it was given: what it stores or joins, or by how much it counts. */
  readonly value?: Held;
  /** The token that a `cas` compares, and that a `gets` was told. */
  readonly token?: string | null;
  readonly result: Held | boolean;
  /** Nanoseconds by the one clock of the machine. */
  readonly start: number;
  readonly end: number;
}

/** An item, and its token once somebody was told it. */
interface State {
  readonly held: Held;
  readonly token: string | undefined;
}

const EMPTY: State = { held: null, token: undefined };

/** What a step makes of an item; undefined if its result would have been another one. */
type Effect = (state: State, step: Step) => State | undefined;

const given = ({ value }: Step) => value ?? null;
const hold = (held: Held): State => ({ held, token: undefined });

/** A change that happens only under a condition, and says whether it did. */
const changeIf =
  (
    condition: (state: State, step: Step) => boolean,
    next: (held: Held, step: Step) => Held,
  ): Effect =>
  (state, step) => {
    if (condition(state, step) !== step.result) return undefined;
    return step.result ? hold(next(state.held, step)) : state;
  };

const isThere = ({ held }: State) => held !== null;

const count =
  (direction: 1 | -1): Effect =>
  (state, step) => {
    if (state.held === null) return step.result === null ? state : undefined;
    const sum = Math.max(0, Number(state.held) + direction * Number(step.value));
    return step.result === sum ? hold(sum) : undefined;
  };

const EFFECTS = {
  get: (state, { result }) => (result === state.held ? state : undefined),
  gets: (state, { result, token }) => {
    if (result !== state.held) return undefined;
    if (token === null || token === undefined) return result === null ? state : undefined;
    if (state.token === undefined) return { ...state, token };
    return token === state.token ? state : undefined;
  },
  has: (state, { result }) => (result === isThere(state) ? state : undefined),
  set: changeIf(
    () => true,
    (_, step) => given(step),
  ),
  add: changeIf(
    (state) => !isThere(state),
    (_, step) => given(step),
  ),
  replace: changeIf(isThere, (_, step) => given(step)),
  append: changeIf(isThere, (held, step) => `${held}${given(step)}`),
  prepend: changeIf(isThere, (held, step) => `${given(step)}${held}`),
  delete: changeIf(isThere, () => null),
  cas: changeIf(
    ({ token }, step) => token !== undefined && token === step.token,
    (_, step) => given(step),
  ),
  incr: count(1),
  decr: count(-1),
} satisfies Record<string, Effect>;

/** How far a search has come: the first step that has no place yet, and who of those behind it has. */
interface Place {
  readonly first: number;
  readonly taken: ReadonlySet<number>;
  readonly state: State;
}

/**
 * Looks for an order of the steps on one key in which each has the result that it had, and none
 * comes before one that had ended when it began (Wing and Gong, with the states that Lowe
 * remembers). The key holds nothing at first.
 * @returns undefined if there is one, otherwise the steps that had no place
 */
export function misfits(steps: readonly Step[]): readonly Step[] | undefined {
  const unlike = differing(steps);
  if (unlike !== undefined) return unlike;
  const sorted = steps.toSorted((a, b) => a.start - b.start);
  const seen = new Set<string>();
  const open: Place[] = [{ first: 0, taken: new Set(), state: EMPTY }];
  let furthest = { placed: -1, stuck: sorted };
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    if (place.first === sorted.length) return undefined;
    const candidates = candidatesOf(sorted, place);
    const nexts = nextPlaces(sorted, place, candidates);
    const placed = place.first + place.taken.size;
    if (placed > furthest.placed) {
      furthest = { placed, stuck: candidates.map((i) => sorted[i]!) };
    }
    for (const next of nexts) {
      const name = nameOf(next);
      if (!seen.has(name)) open.push(next);
      seen.add(name);
    }
  }
  return furthest.stuck;
}

/** Two that were told one token with different values. Tokens are not in the order of changes. */
function differing(steps: readonly Step[]): readonly Step[] | undefined {
  const told = new Map<string, Step>();
  for (const step of steps) {
    if (step.kind !== "gets" || typeof step.token !== "string") continue;
    const first = told.get(step.token);
    if (first !== undefined && first.result !== step.result) return [first, step];
    told.set(step.token, step);
  }
  return undefined;
}

/** Those that began before any other that has no place yet had ended. */
function candidatesOf(sorted: readonly Step[], { first, taken }: Place): number[] {
  const candidates: number[] = [];
  let firstEnd = Infinity;
  for (let i = first; i < sorted.length && sorted[i]!.start <= firstEnd; i++) {
    if (taken.has(i)) continue;
    candidates.push(i);
    firstEnd = Math.min(firstEnd, sorted[i]!.end);
  }
  return candidates;
}

/** The best one last. What changes nothing goes first, without a choice: it never fits better later. */
function nextPlaces(sorted: readonly Step[], place: Place, candidates: readonly number[]): Place[] {
  const nexts: { end: number; place: Place }[] = [];
  for (const i of candidates) {
    const step = sorted[i]!;
    const state = EFFECTS[step.kind](place.state, step);
    if (state === undefined) continue;
    const next = after(sorted.length, place, i, state);
    if (state === place.state) return [next];
    nexts.push({ end: step.end, place: next });
  }
  return nexts.sort((a, b) => b.end - a.end).map((next) => next.place);
}

function after(length: number, { first, taken }: Place, i: number, state: State): Place {
  const rest = new Set(taken).add(i);
  let next = first;
  while (next < length && rest.delete(next)) next++;
  return { first: next, taken: rest, state };
}

function nameOf({ first, taken, state: { held, token } }: Place): string {
  return `${first} ${[...taken].sort((a, b) => a - b)} ${token} ${typeof held} ${held}`;
}

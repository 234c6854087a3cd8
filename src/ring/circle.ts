import { Continuum } from "./continuum.js";
import { liveMembers, type Member, type RingBuilder } from "./ring.js";

/** All that share a continuum. */
export interface Group {
  readonly size: number;
  readonly weight: number;
}

/** How the members of a continuum come by their points, which are 32-bit numbers. */
export interface PointRule {
  /** How often a member draws. */
  draws(member: Member, group: Group): number;
  /** How many points it gets for each draw. */
  readonly pointsPerDraw: number;
  /** The points of its draws from one number up to, and without, another. */
  draw(member: Member, from: number, to: number): readonly number[];
}

/** The members in the order in which they claim points: of two with the same point the earlier owns it. */
type Claims = (members: readonly Member[]) => readonly Member[];

export const earlierFirst: Claims = (members) => members;

export const laterFirst: Claims = (members) => members.toReversed();

export function continuum(rule: PointRule, claims: Claims = earlierFirst): RingBuilder {
  return (members) => Circle.of(rule, claims, members);
}

/**
 * A continuum in which a hash belongs to the last point at or before it. The same
 * circle with every owner one point further on, that point drawn back by one.
 */
export function continuumBefore(rule: PointRule): RingBuilder {
  return (members) => new CircleBefore(Circle.of(rule, earlierFirst, members));
}

/**
 * A continuum that remembers who drew what. With a member less, most draws are as they
 * were: where points do not depend on who else is there, all of them, and by weight
 * nearly all. So the circle without it is this one without its points, and with the few
 * that others draw now.
 */
class Circle extends Continuum {
  readonly #rule: PointRule;
  readonly #claims: Claims;
  /** The points of each member, in the order of claims. */
  readonly #drawn: readonly Uint32Array[];

  private constructor(
    rule: PointRule,
    claims: Claims,
    drawn: readonly Uint32Array[],
    { points, owners }: Points,
  ) {
    super(points, owners);
    this.#rule = rule;
    this.#claims = claims;
    this.#drawn = drawn;
  }

  static of(rule: PointRule, claims: Claims, members: readonly Member[]): Circle {
    const ordered = claims(members);
    const draws = drawsOf(rule, ordered);
    const drawn = ordered.map((member, i) => Uint32Array.from(rule.draw(member, 0, draws[i]!)));
    return new Circle(rule, claims, drawn, sortedPoints(ordered, drawn));
  }

  withLive(members: readonly Member[]): Continuum {
    const rule = this.#rule;
    const ordered = this.#claims(members);
    const draws = drawsOf(rule, ordered);
    const dropped = this.#drawn.map((points, i) => points.subarray(draws[i]! * rule.pointsPerDraw));
    const added = this.#drawn.map(({ length }, i) => {
      const before = length / rule.pointsPerDraw;
      return before < draws[i]! ? rule.draw(ordered[i]!, before, draws[i]!) : [];
    });
    const kept = without(this, sortedPoints(ordered, dropped));
    const { points, owners } = merged(kept, sortedPoints(ordered, added), ranksOf(ordered));
    return new Continuum(points, owners);
  }
}

class CircleBefore extends Continuum {
  readonly #circle: Circle;

  constructor(circle: Circle) {
    const { points, owners } = movedBack(circle);
    super(points, owners);
    this.#circle = circle;
  }

  withLive(members: readonly Member[]): Continuum {
    const { points, owners } = movedBack(this.#circle.withLive(members));
    return new Continuum(points, owners);
  }
}

/** Points with their owners, in the order of the circle. */
type Points = Pick<Continuum, "points" | "owners">;

function drawsOf(rule: PointRule, members: readonly Member[]): number[] {
  const sharing = liveMembers(members);
  const weight = sharing.reduce((sum, member) => sum + member.weight, 0);
  const group = { size: sharing.length, weight };
  return members.map((member) => (member.live ? Math.max(0, rule.draws(member, group)) : 0));
}

/** A point and its member's number in one exact float sort fast, and ties by number. */
function sortedPoints(members: readonly Member[], drawn: readonly ArrayLike<number>[]): Points {
  const size = members.length;
  const keys = new Float64Array(drawn.reduce((sum, points) => sum + points.length, 0));
  let at = 0;
  for (const [number, points] of drawn.entries()) {
    for (let i = 0; i < points.length; i++) keys[at++] = points[i]! * size + number;
  }
  keys.sort();
  return {
    points: Uint32Array.from(keys, (key) => Math.floor(key / size)),
    owners: Uint32Array.from(keys, (key) => members[key % size]!.position),
  };
}

/** The points of a circle but for some of them, which are in the same order. */
function without({ points, owners }: Points, dropped: Points): Points {
  const length = points.length - dropped.points.length;
  const kept = { points: new Uint32Array(length), owners: new Uint32Array(length) };
  let passed = 0;
  for (let i = 0; i < points.length; i++) {
    if (points[i] === dropped.points[passed] && owners[i] === dropped.owners[passed]) {
      passed++;
      continue;
    }
    kept.points[i - passed] = points[i]!;
    kept.owners[i - passed] = owners[i]!;
  }
  return kept;
}

/** For each position when its member claims its points. */
function ranksOf(members: readonly Member[]): Uint32Array {
  const ranks = new Uint32Array(members.length);
  for (const [rank, { position }] of members.entries()) ranks[position] = rank;
  return ranks;
}

function merged(a: Points, b: Points, ranks: Uint32Array): Points {
  if (b.points.length === 0) return a;
  const length = a.points.length + b.points.length;
  const all = { points: new Uint32Array(length), owners: new Uint32Array(length) };
  let fromA = 0;
  let fromB = 0;
  for (let i = 0; i < length; i++) {
    const takesB = isBefore(b, fromB, a, fromA, ranks);
    const [from, at] = takesB ? [b, fromB++] : [a, fromA++];
    all.points[i] = from.points[at]!;
    all.owners[i] = from.owners[at]!;
  }
  return all;
}

/** Whether the next point of one comes before the next of another. */
function isBefore(a: Points, atA: number, b: Points, atB: number, ranks: Uint32Array): boolean {
  if (atA === a.points.length || atB === b.points.length) return atA < a.points.length;
  const difference = a.points[atA]! - b.points[atB]!;
  if (difference !== 0) return difference < 0;
  return ranks[a.owners[atA]!]! < ranks[b.owners[atB]!]!;
}

/** Every owner one point further on, and that point drawn back by one: 0 becomes the last. */
function movedBack({ points, owners }: Points): Points {
  const { length } = points;
  const zeros = points.findIndex((point) => point > 0);
  const first = Math.max(0, zeros);
  const moved = { points: new Uint32Array(length), owners: new Uint32Array(length) };
  for (let i = 0; i < length; i++) {
    const from = (first + i) % length;
    moved.points[i] = points[from]! - 1; // a Uint32Array makes 2^32 - 1 of -1
    moved.owners[i] = owners[(from + length - 1) % length]!;
  }
  return moved;
}

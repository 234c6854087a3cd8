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
    const ranks = ranksOf(ordered);
    const kept = without(this, sortedPoints(ordered, dropped), ranks);
    const { points, owners } = withMore(kept, sortedPoints(ordered, added), ranks);
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

/** For each position, the turn in which its member claims its points. */
function ranksOf(members: readonly Member[]): Uint32Array {
  const ranks = new Uint32Array(members.length);
  for (const [rank, { position }] of members.entries()) ranks[position] = rank;
  return ranks;
}

/** A circle without some of its points. */
function without(circle: Points, dropped: Points, ranks: Uint32Array): Points {
  const kept = new Copy(circle, circle.points.length - dropped.points.length);
  for (let i = 0; i < dropped.points.length; i++) {
    kept.copyUpTo(placeOf(circle, dropped, i, ranks));
    kept.skip();
  }
  return kept.rest();
}

/** A circle with more points. */
function withMore(circle: Points, added: Points, ranks: Uint32Array): Points {
  const all = new Copy(circle, circle.points.length + added.points.length);
  for (let i = 0; i < added.points.length; i++) {
    all.copyUpTo(placeOf(circle, added, i, ranks));
    all.add(added.points[i]!, added.owners[i]!);
  }
  return all.rest();
}

/** Where on a circle one of other points is, or would be. */
function placeOf({ points, owners }: Points, others: Points, i: number, ranks: Uint32Array) {
  const point = others.points[i]!;
  const rank = ranks[others.owners[i]!]!;
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const difference = points[middle]! - point || ranks[owners[middle]!]! - rank;
    if (difference < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * A circle in the making, from another: what lies between two changes is copied as a
 * whole, since the first death finds this code not yet compiled.
 */
class Copy {
  readonly #from: Points;
  readonly #points: Uint32Array;
  readonly #owners: Uint32Array;
  /** What was read, and what is written. */
  #read = 0;
  #written = 0;

  constructor(from: Points, length: number) {
    this.#from = from;
    this.#points = new Uint32Array(length);
    this.#owners = new Uint32Array(length);
  }

  /** Copies what is before a place, if that was not passed already. */
  copyUpTo(place: number): void {
    if (place <= this.#read) return;
    this.#points.set(this.#from.points.subarray(this.#read, place), this.#written);
    this.#owners.set(this.#from.owners.subarray(this.#read, place), this.#written);
    this.#written += place - this.#read;
    this.#read = place;
  }

  skip(): void {
    this.#read++;
  }

  add(point: number, owner: number): void {
    this.#points[this.#written] = point;
    this.#owners[this.#written++] = owner;
  }

  rest(): Points {
    this.copyUpTo(this.#from.points.length);
    return { points: this.#points, owners: this.#owners };
  }
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

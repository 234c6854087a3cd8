import { CodecError } from "../../errors.js";
import { isPlainObject, setProperty } from "../plain.js";
import { ClassReference, type PickleClass } from "./classes.js";

/** A container on the way down, with the children still to visit. */
interface Visit {
  readonly container: object;
  readonly children: readonly unknown[];
  next: number;
  /** The depth of the deepest child so far. */
  depth: number;
}

/**
 * Goes once through a value that was read: puts replacements in the place of what they
 * replaced, finds classes that stand as data, and measures the depth. Not recursive;
 * a cycle counts once.
 */
export function finish(
  root: unknown,
  maxDepth: number,
  replaced: ReadonlyMap<unknown, unknown>,
  instances: ReadonlyMap<unknown, PickleClass>,
): unknown {
  const value = current(root, replaced);
  const depths = new Map<object, number>();
  const path: Visit[] = [];

  const enter = (child: unknown): number => {
    if (typeof child !== "object" || child === null) return 0;
    if (child instanceof ClassReference) {
      throw new CodecError(`The pickle holds the class ${child.name} itself, which is not data`);
    }
    const known = depths.get(child);
    if (known !== undefined) return known;
    // What a user's class made is the user's, and no longer looked into.
    const maker = instances.get(child);
    if ((maker !== undefined && maker.fresh !== true) || !isContainer(child)) return 0;
    if (replaced.size > 0) replaceChildren(child, replaced);
    depths.set(child, 0);
    path.push({ container: child, children: childrenOf(child), next: 0, depth: 0 });
    if (path.length > maxDepth) throw tooDeep(maxDepth);
    return 0;
  };

  enter(value);
  for (let visit = path.at(-1); visit !== undefined; visit = path.at(-1)) {
    if (visit.next < visit.children.length) {
      const before = path.length;
      const depth = enter(visit.children[visit.next]);
      if (path.length > before) continue;
      visit.depth = Math.max(visit.depth, depth);
      visit.next++;
    } else {
      if (visit.depth + 1 > maxDepth) throw tooDeep(maxDepth);
      depths.set(visit.container, visit.depth + 1);
      path.pop();
    }
  }
  return value;
}

/** The value itself, or what took its place: first a Map perhaps, and then what a class built of that. */
export function current(value: unknown, replaced: ReadonlyMap<unknown, unknown>): unknown {
  if (!replaced.has(value)) return value;
  const next = replaced.get(value);
  return replaced.has(next) ? replaced.get(next) : next;
}

function tooDeep(maxDepth: number): CodecError {
  return new CodecError(
    `The pickle is nested deeper than ${maxDepth} levels; if it is to be trusted, raise pickle.maxDepth`,
  );
}

function isContainer(value: object): boolean {
  return (
    Array.isArray(value) || value instanceof Map || value instanceof Set || isPlainObject(value)
  );
}

function childrenOf(container: object): readonly unknown[] {
  if (Array.isArray(container)) return container;
  if (container instanceof Map) return [...container].flat();
  if (container instanceof Set) return [...container];
  return Object.values(container);
}

function replaceChildren(container: object, replaced: ReadonlyMap<unknown, unknown>): void {
  if (container instanceof Map) {
    const entries = [...container];
    container.clear();
    for (const [key, item] of entries) {
      container.set(current(key, replaced), current(item, replaced));
    }
  } else if (container instanceof Set) {
    const items = [...container];
    container.clear();
    for (const item of items) container.add(current(item, replaced));
  } else {
    for (const [name, item] of Object.entries(container)) {
      if (replaced.has(item)) setProperty(container, name, current(item, replaced));
    }
  }
}

import { CodecError } from "../../errors.js";
import { quote } from "../../util/show.js";
import { isPlainObject } from "../plain.js";
import { CONTAINER_SLOTS, Room } from "../room.js";
import { broken } from "./broken.js";
import { ClassReference, type PickleClass } from "./classes.js";
import { current, finish } from "./finish.js";
import type { PickleInput } from "./input.js";

/** One instruction. */
export type Instruction = (machine: PickleMachine) => void;

/** Constructors may copy this much, and beyond it only in proportion to the pickle. */
const FREE_COPIES = 64 * 1024;

/**
 * The stack machine that a pickle is a program for: a stack, marks in it, and a memo of
 * what may be met again. It is not recursive, and what it makes is bounded by the
 * pickle's own length and by the room that any value has.
 */
export class PickleMachine {
  readonly input: PickleInput;
  readonly #classes: ReadonlyMap<string, PickleClass>;
  readonly #maxDepth: number;
  #stack: unknown[] = [];
  /** The stacks below the marks. */
  readonly #below: unknown[][] = [];
  readonly #memo: unknown[] = [];
  #memoized = 0;
  /** What took the place of an object that others may hold already. */
  readonly #replaced = new Map<unknown, unknown>();
  /** What a user's class made, by which no other class may be built. */
  readonly #instances = new Map<unknown, PickleClass>();
  #copies: number;
  readonly #room = new Room();
  #nested = 0;
  #needsFinish = false;

  constructor(input: PickleInput, classes: ReadonlyMap<string, PickleClass>, maxDepth: number) {
    this.input = input;
    this.#classes = classes;
    this.#maxDepth = maxDepth;
    this.#copies = FREE_COPIES + 4 * input.length;
  }

  /** Pushes what was made just now. */
  push(value: unknown): void {
    this.#room.take(typeof value === "object" && value !== null ? CONTAINER_SLOTS : 2);
    this.#stack.push(value);
  }

  pop(): unknown {
    if (this.#stack.length === 0) throw broken("it takes more than it put on the stack");
    return this.#stack.pop();
  }

  top(): unknown {
    if (this.#stack.length === 0) throw broken("it takes more than it put on the stack");
    return this.#stack[this.#stack.length - 1];
  }

  /** Removes the top, or the mark if nothing is above it. */
  drop(): void {
    if (this.#stack.length > 0) this.#stack.pop();
    else this.popMark();
  }

  mark(): void {
    this.#room.take(CONTAINER_SLOTS);
    this.#below.push(this.#stack);
    this.#stack = [];
  }

  /** Everything above the last mark, which the caller may keep. */
  popMark(): unknown[] {
    const items = this.#stack;
    const below = this.#below.pop();
    if (below === undefined) throw broken("a mark is missing");
    this.#stack = below;
    return items;
  }

  memoize(): void {
    this.put(this.#memoized);
  }

  /** Keeps the top under a number. No honest pickle numbers further than it is long. */
  put(index: number): void {
    if (index > this.input.length) throw broken("its memo is out of bounds");
    this.#room.take(4);
    this.#memo[index] = this.top();
    this.#memoized++;
  }

  get(index: number): void {
    const value = this.#memo[index];
    if (value === undefined && !(index in this.#memo)) {
      throw broken("it refers to what it never kept");
    }
    this.pushAgain(value);
  }

  /** Pushes what may be held elsewhere already. */
  pushAgain(value: unknown): void {
    // It may yet be replaced, after it has found a second holder.
    if (isPlainObject(value) || this.#instances.get(value)?.build !== undefined) {
      this.#needsFinish = true;
    }
    this.#room.take(1);
    this.#stack.push(current(value, this.#replaced));
  }

  /** Puts `value` in the place of the top, wherever that is held. */
  replaceTop(value: unknown): void {
    const old = this.pop();
    if (old !== value) this.#replaced.set(old, value);
    this.push(value);
  }

  /** Pays for what a Set or a Map has beside its items, to find them by. */
  index(items: number): void {
    this.#room.take(4 * items);
  }

  /** Notes that something went into a container. */
  nest(value: unknown): void {
    if (typeof value === "object" && value !== null) this.#nested++;
  }

  nestAll(values: readonly unknown[]): void {
    for (const value of values) this.nest(value);
  }

  /** Pays for a copy of that many items or bytes, which a pickle could ask for again and again. */
  spend(amount: number): void {
    this.#copies -= amount;
    if (this.#copies < 0) throw broken("it copies its parts beyond all measure");
  }

  /** @throws CodecError for a class outside the table */
  pushClass(module: string, name: string): void {
    const fullName = python3Name(module, name);
    const definition = this.#classes.get(fullName);
    if (definition === undefined) {
      throw new CodecError(
        `The pickle has a ${quote(fullName, 200)}, which is not known here; name it in the option pickle.classes`,
      );
    }
    // A class that is nowhere called would be left in the value.
    this.#needsFinish = true;
    this.push(new ClassReference(fullName, definition));
  }

  /** Remembers what a class made, if it may have state or is not ours to fill. */
  adopt(instance: unknown, definition: PickleClass): void {
    if (typeof instance === "object" && instance !== null)
      this.#instances.set(instance, definition);
  }

  /** The class that made an instance in this pickle. */
  classOf(instance: unknown): PickleClass | undefined {
    return this.#instances.get(instance);
  }

  /** The value on top at the end, checked. */
  result(): unknown {
    const value = this.pop();
    if (!this.#needsFinish && this.#nested < this.#maxDepth) return value;
    return finish(value, this.#maxDepth, this.#replaced, this.#instances);
  }
}

/** What has another name in Python 2, and so in protocols up to 2. */
const PYTHON3_MODULES: ReadonlyMap<string, string> = new Map([
  ["__builtin__", "builtins"],
  ["exceptions", "builtins"],
  ["copy_reg", "copyreg"],
]);
const PYTHON3_NAMES: ReadonlyMap<string, string> = new Map([
  ["__builtin__.unicode", "builtins.str"],
  ["__builtin__.long", "builtins.int"],
  ["__builtin__.xrange", "builtins.range"],
]);

function python3Name(module: string, name: string): string {
  const known = PYTHON3_NAMES.get(`${module}.${name}`);
  return known ?? `${PYTHON3_MODULES.get(module) ?? module}.${name}`;
}

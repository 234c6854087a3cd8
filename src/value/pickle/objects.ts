import { isPlainObject } from "../plain.js";
import { broken } from "./broken.js";
import { ClassReference, type PickleClass } from "./classes.js";
import { appendAll, setAll } from "./containers.js";
import type { Instruction, PickleMachine } from "./machine.js";
import { Op } from "./opcodes.js";

/** The instructions that call classes, and those that handle the stack and the memo. */
export const OBJECTS: ReadonlyMap<number, Instruction> = new Map<number, Instruction>([
  [Op.global, (m) => m.pushClass(m.input.line(), m.input.line())],
  [Op.stackGlobal, pushStackGlobal],
  [Op.reduce, (m) => callTop(m, argumentsOf(m.pop()))],
  [Op.newObj, (m) => callTop(m, argumentsOf(m.pop()))],
  [Op.newObjEx, callWithKeywords],
  [Op.inst, pushInstance],
  [Op.obj, pushObject],
  [Op.build, build],
  [Op.mark, (m) => m.mark()],
  [Op.pop, (m) => m.drop()],
  [Op.popMark, (m) => m.popMark()],
  [Op.dup, (m) => m.pushAgain(m.top())],
  [Op.memoize, (m) => m.memoize()],
  [Op.put, (m) => m.put(indexLine(m.input.line()))],
  [Op.binPut, (m) => m.put(m.input.uint8())],
  [Op.longBinPut, (m) => m.put(m.input.uint32())],
  [Op.get, (m) => m.get(indexLine(m.input.line()))],
  [Op.binGet, (m) => m.get(m.input.uint8())],
  [Op.longBinGet, (m) => m.get(m.input.uint32())],
]);

function indexLine(line: string): number {
  if (!/^\d{1,10}$/.test(line)) throw broken("a number in its memo is malformed");
  return Number(line);
}

function argumentsOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw broken("the arguments of a class are not a tuple");
  return value;
}

function pushStackGlobal(machine: PickleMachine): void {
  const name = machine.pop();
  const module = machine.pop();
  if (typeof name !== "string" || typeof module !== "string") {
    throw broken("the name of a class is not a string");
  }
  machine.pushClass(module, name);
}

function pushInstance(machine: PickleMachine): void {
  const args = machine.popMark();
  machine.pushClass(machine.input.line(), machine.input.line());
  callTop(machine, args);
}

function pushObject(machine: PickleMachine): void {
  const [reference, ...args] = machine.popMark();
  machine.push(reference);
  callTop(machine, args);
}

function callWithKeywords(machine: PickleMachine): void {
  const keywords = machine.pop();
  const args = argumentsOf(machine.pop());
  if (!isPlainObject(keywords)) throw broken("the keywords of a class are not a dictionary");
  callTop(machine, Object.keys(keywords).length > 0 ? [...args, keywords] : args);
}

/** Puts an instance in the place of the class on top. */
function callTop(machine: PickleMachine, args: readonly unknown[]): void {
  const reference = machine.pop();
  if (!(reference instanceof ClassReference))
    throw broken("it calls something that is not a class");
  const { name, definition } = reference;
  machine.spend(costOf(args));
  switch (name) {
    // What Python calls in the place of a class, and hands the class.
    case "copyreg._reconstructor":
      reconstruct(machine, args);
      break;
    case "copyreg.__newobj__":
      create(machine, referenced(args[0]), args.slice(1));
      break;
    case "builtins.getattr":
      pushMember(machine, args[0], args[1]);
      break;
    default:
      create(machine, definition, args);
  }
}

function referenced(value: unknown): PickleClass {
  if (value instanceof ClassReference) return value.definition;
  throw broken("it calls something that is not a class");
}

/** An instance as protocols 0 and 1 say it: its class, the built-in type below that, and what is in that. */
function reconstruct(machine: PickleMachine, [reference, base, content]: readonly unknown[]): void {
  const definition = referenced(reference);
  const type = base instanceof ClassReference ? base.name : undefined;
  if (type === "builtins.object") {
    create(machine, definition, []);
  } else if (type === "builtins.tuple") {
    create(machine, definition, argumentsOf(content));
  } else if (definition.fresh === true && Array.isArray(content)) {
    create(machine, definition, []);
    appendAll(machine, content);
  } else if (definition.fresh === true && (content instanceof Map || isPlainObject(content))) {
    create(machine, definition, []);
    const entries = content instanceof Map ? [...content] : Object.entries(content);
    setAll(machine, entries.flat());
  } else {
    create(machine, definition, [content]);
  }
}

function create(machine: PickleMachine, definition: PickleClass, args: readonly unknown[]): void {
  const plain = args.map((arg) => (arg instanceof ClassReference ? arg.name : arg));
  const instance = definition.create(...plain);
  machine.adopt(instance, definition);
  machine.nestAll(args);
  machine.push(instance);
}

function pushMember(machine: PickleMachine, reference: unknown, name: unknown): void {
  if (!(reference instanceof ClassReference) || typeof name !== "string") {
    throw broken("it asks for a member of something that is not a class");
  }
  const { definition } = reference;
  if (definition.member === undefined) {
    throw broken(`it asks for a member of ${reference.name}, whose definition has no member()`);
  }
  const member = definition.member(name);
  if (!(member instanceof ClassReference)) machine.adopt(member, definition);
  machine.push(member);
}

function build(machine: PickleMachine): void {
  const state = machine.pop();
  const instance = machine.top();
  const definition = machine.classOf(instance);
  if (definition?.build === undefined) {
    throw broken("it gives state to what takes none; define the class with a build()");
  }
  machine.spend(costOf([state]));
  machine.replaceTop(definition.build(instance, state));
}

/** How much there is to copy in arguments: a pickle can hand the same ones to any number of classes. */
function costOf(args: readonly unknown[]): number {
  let cost = args.length;
  for (const arg of args) {
    if (typeof arg === "string" || Array.isArray(arg) || arg instanceof Uint8Array) {
      cost += arg.length;
    } else if (arg instanceof Map || arg instanceof Set) {
      cost += arg.size;
    } else if (isPlainObject(arg)) {
      cost += Object.keys(arg).length;
    }
  }
  return cost;
}

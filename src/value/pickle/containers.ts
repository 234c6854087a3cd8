import { isPlainObject, setProperty } from "../plain.js";
import { broken } from "./broken.js";
import type { Instruction, PickleMachine } from "./machine.js";
import { Op } from "./opcodes.js";

/** The instructions for lists, tuples, dictionaries and sets. */
export const CONTAINERS: ReadonlyMap<number, Instruction> = new Map<number, Instruction>([
  [Op.emptyList, (m) => m.push([])],
  [Op.emptyTuple, (m) => m.push([])],
  [Op.emptyDict, (m) => m.push({})],
  [Op.emptySet, (m) => pushSet(m, [])],
  [Op.list, (m) => pushItems(m, m.popMark())],
  [Op.tuple, (m) => pushItems(m, m.popMark())],
  [Op.tuple1, (m) => pushItems(m, [m.pop()])],
  [Op.tuple2, (m) => pushItems(m, popTwo(m))],
  [Op.tuple3, pushTriple],
  [Op.frozenSet, (m) => pushSet(m, m.popMark())],
  [Op.dict, pushDict],
  [Op.append, (m) => appendAll(m, [m.pop()])],
  [Op.appends, (m) => appendAll(m, m.popMark())],
  [Op.addItems, (m) => addAll(m, m.popMark())],
  [Op.setItem, (m) => setAll(m, popTwo(m))],
  [Op.setItems, (m) => setAll(m, m.popMark())],
]);

/** How many items an empty Set or Map has a table for. */
const MIN_TABLE = 4;

function pushItems(machine: PickleMachine, items: unknown[]): void {
  machine.nestAll(items);
  machine.push(items);
}

function popTwo(machine: PickleMachine): unknown[] {
  const second = machine.pop();
  return [machine.pop(), second];
}

function pushTriple(machine: PickleMachine): void {
  const third = machine.pop();
  pushItems(machine, [...popTwo(machine), third]);
}

function pushSet(machine: PickleMachine, items: unknown[]): void {
  machine.nestAll(items);
  machine.index(MIN_TABLE + items.length);
  machine.push(new Set(items));
}

function pushDict(machine: PickleMachine): void {
  const items = machine.popMark();
  machine.push({});
  setAll(machine, items);
}

/** The container on top, unless it is a user's, made elsewhere and perhaps shared. */
function openTop(machine: PickleMachine): unknown {
  const container = machine.top();
  const maker = machine.classOf(container);
  if (maker !== undefined && maker.fresh !== true) {
    throw broken("it puts items into an instance whose class is not said to be fresh");
  }
  return container;
}

/** Items onto the list on top. */
export function appendAll(machine: PickleMachine, items: unknown[]): void {
  const list = openTop(machine);
  if (!Array.isArray(list)) throw broken("it appends to something that is not a list");
  machine.nestAll(items);
  for (const item of items) list.push(item);
}

function addAll(machine: PickleMachine, items: unknown[]): void {
  const set = openTop(machine);
  if (!(set instanceof Set)) throw broken("it adds to something that is not a set");
  machine.nestAll(items);
  machine.index(items.length);
  for (const item of items) set.add(item);
}

/** Keys and values in turn into the dictionary on top: an object, until a key is not a string. */
export function setAll(machine: PickleMachine, items: unknown[]): void {
  if (items.length % 2 !== 0) throw broken("a key has no value");
  let dict = openTop(machine);
  machine.nestAll(items);
  for (let i = 0; i < items.length; i += 2) {
    const key = items[i];
    if (dict instanceof Map) {
      machine.index(1);
      dict.set(key, items[i + 1]);
    } else if (!isPlainObject(dict)) {
      throw broken("it sets items of something that is not a dictionary");
    } else if (typeof key === "string") {
      setProperty(dict, key, items[i + 1]);
    } else {
      const map = new Map<unknown, unknown>(Object.entries(dict));
      const maker = machine.classOf(dict);
      // Of a subclass, whose attributes come after its items.
      if (maker !== undefined) machine.adopt(map, maker);
      machine.spend(map.size);
      machine.index(MIN_TABLE + map.size);
      machine.replaceTop(map.set(key, items[i + 1]));
      dict = map;
    }
  }
}

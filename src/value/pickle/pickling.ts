import { CodecError } from "../../errors.js";
import { builtin } from "../../util/builtin.js";
import { isUint8Array } from "../../util/bytes.js";
import { shorten } from "../../util/show.js";
import { tagOf } from "../plain.js";
import { Op } from "./opcodes.js";
import { PickleOutput } from "./output.js";
import { writeBytes, writeFloat, writeInteger, writeText } from "./scalars.js";
import { datetimeState } from "./temporal.js";

const util = builtin("node:util");

/** How deep a value may be: as deep as Python would pickle it. */
const MAX_DEPTH = 1000;

/** Something of Python's that a pickle names; protocol 2 uses Python 2's name for the module. */
interface Global {
  readonly module: string;
  readonly python2?: string;
  readonly name: string;
}

const SET: Global = { module: "builtins", python2: "__builtin__", name: "set" };
const FROZENSET: Global = { module: "builtins", python2: "__builtin__", name: "frozenset" };
const ENCODE: Global = { module: "_codecs", name: "encode" };
const DATETIME: Global = { module: "datetime", name: "datetime" };
const TIMEZONE: Global = { module: "datetime", name: "timezone" };
const TIMEDELTA: Global = { module: "datetime", name: "timedelta" };
/** `timezone.utc` in the memo. */
const UTC = {};

/** One value on its way into a pickle. */
export class Pickling {
  readonly #output: PickleOutput = new PickleOutput();
  readonly #protocol: number;
  readonly #noneForUndefined: boolean;
  /** The numbers of what may be met again: objects by identity, strings by value. */
  readonly #memo = new Map<unknown, number>();
  /** Tuples and frozensets on the way: to meet one again is a cycle that Python cannot have. */
  readonly #open = new Set<object>();
  /** Indexes and names from the value down to where the writing is. */
  readonly #path: (string | number)[] = [];

  constructor(protocol: number, noneForUndefined: boolean) {
    this.#protocol = protocol;
    this.#noneForUndefined = noneForUndefined;
  }

  run(value: unknown): Buffer {
    this.#op(Op.proto);
    this.#output.uint8(this.#protocol);
    // Frames would only help who reads from a file.
    this.#write(value);
    this.#op(Op.stop);
    return this.#output.finish();
  }

  #op(opcode: number): void {
    this.#output.uint8(opcode);
  }

  #write(value: unknown): void {
    switch (typeof value) {
      case "string":
        this.#writeString(value);
        break;
      case "number":
        if (Number.isSafeInteger(value) && !Object.is(value, -0)) writeInteger(this.#output, value);
        else writeFloat(this.#output, value);
        break;
      case "bigint":
        writeInteger(this.#output, value);
        break;
      case "boolean":
        this.#op(value ? Op.newTrue : Op.newFalse);
        break;
      case "object":
        if (value === null) this.#op(Op.none);
        else if (!this.#recall(value)) this.#writeObject(value);
        break;
      case "undefined":
        if (!this.#noneForUndefined) {
          throw this.#refuse('is undefined; set pickle.undefined to "none" to write it as None');
        }
        this.#op(Op.none);
        break;
      default:
        throw this.#refuse(`is a ${typeof value}, which Python cannot read`);
    }
  }

  #writeObject(value: object): void {
    if (isUint8Array(value)) this.#writeBytes(value);
    else if (Array.isArray(value)) this.#writeList(value);
    else if (util().types.isMap(value)) this.#writeDict(value, [...value]);
    else if (util().types.isSet(value)) this.#writeSet(value);
    else if (util().types.isDate(value)) this.#writeDate(value);
    else if ("toJSON" in value && typeof value.toJSON === "function") {
      this.#writeAt("toJSON()", value.toJSON());
    } else if (tagOf(value) === "Object") this.#writeDict(value, Object.entries(value));
    else throw this.#refuse(`is of type ${tagOf(value)}, which has no meaning in Python`);
  }

  #writeString(text: string): void {
    if (this.#recall(text)) return;
    writeText(this.#output, text, this.#protocol);
    this.#memoize(text);
  }

  #writeBytes(data: Uint8Array): void {
    if (this.#protocol >= 3) {
      writeBytes(this.#output, data);
    } else {
      this.#writeGlobal(ENCODE);
      const bytes = Buffer.from(data.buffer, data.byteOffset, data.length);
      writeText(this.#output, bytes.toString("latin1"), this.#protocol);
      this.#writeString("latin1");
      this.#op(Op.tuple2);
      this.#op(Op.reduce);
    }
    this.#memoize(data);
  }

  #writeList(list: readonly unknown[]): void {
    this.#op(Op.emptyList);
    this.#memoize(list);
    if (list.length === 0) return;
    this.#op(Op.mark);
    for (let i = 0; i < list.length; i++) this.#writeAt(i, list[i]);
    this.#op(Op.appends);
  }

  #writeDict(dict: object, entries: readonly (readonly [unknown, unknown])[]): void {
    this.#op(Op.emptyDict);
    this.#memoize(dict);
    if (entries.length === 0) return;
    this.#op(Op.mark);
    for (const [key, item] of entries) {
      this.#writeHashable(key);
      this.#writeAt(typeof key === "string" ? key : "…", item);
    }
    this.#op(Op.setItems);
  }

  #writeSet(set: ReadonlySet<unknown>): void {
    if (this.#protocol < 4) {
      this.#writeSetOf(SET, set);
      this.#memoize(set);
      return;
    }
    this.#op(Op.emptySet);
    this.#memoize(set);
    if (set.size === 0) return;
    this.#op(Op.mark);
    for (const item of set) this.#writeHashable(item);
    this.#op(Op.addItems);
  }

  /** `set([…])`, as protocols before the fourth say it. */
  #writeSetOf(type: Global, items: ReadonlySet<unknown>): void {
    this.#writeGlobal(type);
    this.#op(Op.emptyList);
    this.#op(Op.mark);
    for (const item of items) this.#writeHashable(item);
    this.#op(Op.appends);
    this.#op(Op.tuple1);
    this.#op(Op.reduce);
  }

  /** A key, or an item of a set: arrays and sets take the forms that cannot change. */
  #writeHashable(value: unknown): void {
    if (typeof value === "string") {
      this.#writeString(value);
      return;
    }
    const isList = Array.isArray(value);
    if (!isList && !util().types.isSet(value)) {
      if (typeof value === "object" && value !== null && !isHashable(value)) {
        throw this.#refuse(`has a key of type ${tagOf(value)}, which Python cannot hash`);
      }
      this.#writeAt("(key)", value);
      return;
    }
    if (this.#open.has(value)) {
      throw this.#refuse("has a key that contains itself, which Python cannot have");
    }
    this.#open.add(value);
    if (this.#open.size > MAX_DEPTH) throw this.#tooDeep();
    if (!isList && this.#protocol < 4) {
      this.#writeSetOf(FROZENSET, value);
    } else {
      this.#op(Op.mark);
      for (const item of value) this.#writeHashable(item);
      this.#op(isList ? Op.tuple : Op.frozenSet);
    }
    this.#open.delete(value);
  }

  /** `datetime(state, timezone.utc)`. */
  #writeDate(date: Date): void {
    const state = datetimeState(date);
    if (state === undefined) {
      throw this.#refuse("is a Date outside of the years 1 to 9999, which Python cannot hold");
    }
    this.#writeGlobal(DATETIME);
    this.#writeBytes(state);
    if (!this.#recall(UTC)) {
      this.#writeGlobal(TIMEZONE);
      this.#writeGlobal(TIMEDELTA);
      for (let i = 0; i < 3; i++) writeInteger(this.#output, 0);
      this.#op(Op.tuple3);
      this.#op(Op.reduce);
      this.#op(Op.tuple1);
      this.#op(Op.reduce);
      this.#memoize(UTC);
    }
    this.#op(Op.tuple2);
    this.#op(Op.reduce);
    this.#memoize(date);
  }

  #writeGlobal(global: Global): void {
    if (this.#recall(global)) return;
    const { module, python2 = module, name } = global;
    if (this.#protocol >= 4) {
      this.#writeString(module);
      this.#writeString(name);
      this.#op(Op.stackGlobal);
    } else {
      this.#op(Op.global);
      this.#output.ascii(`${this.#protocol < 3 ? python2 : module}\n${name}\n`);
    }
    this.#memoize(global);
  }

  /** Gives what was just written the next number of the memo. */
  #memoize(value: unknown): void {
    const index = this.#memo.size;
    this.#memo.set(value, index);
    if (this.#protocol >= 4) {
      this.#op(Op.memoize);
    } else if (index < 256) {
      this.#op(Op.binPut);
      this.#output.uint8(index);
    } else {
      this.#op(Op.longBinPut);
      this.#output.uint32(index);
    }
  }

  /** Writes a reference to what was written before, if it was. */
  #recall(value: unknown): boolean {
    const index = this.#memo.get(value);
    if (index === undefined) return false;
    if (index < 256) {
      this.#op(Op.binGet);
      this.#output.uint8(index);
    } else {
      this.#op(Op.longBinGet);
      this.#output.uint32(index);
    }
    return true;
  }

  #writeAt(step: string | number, value: unknown): void {
    if (this.#path.length >= MAX_DEPTH) throw this.#tooDeep();
    this.#path.push(step);
    this.#write(value);
    this.#path.pop();
  }

  #refuse(why: string): CodecError {
    const steps = this.#path.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`));
    return new CodecError(`${shorten(`value${steps.join("")}`, 200)} ${why}`);
  }

  #tooDeep(): CodecError {
    return this.#refuse(`is nested deeper than ${MAX_DEPTH} levels`);
  }
}

function isHashable(value: object): boolean {
  return isUint8Array(value) || util().types.isDate(value);
}

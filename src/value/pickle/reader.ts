import { CodecError, OptionError } from "../../errors.js";
import { checkInteger } from "../../util/check.js";
import { show } from "../../util/show.js";
import { ATOMS, checkProtocol } from "./atoms.js";
import type { PickleClass, PickleClasses } from "./classes.js";
import { CONTAINERS } from "./containers.js";
import { PickleInput } from "./input.js";
import { type Instruction, PickleMachine } from "./machine.js";
import { OBJECTS } from "./objects.js";
import { Op } from "./opcodes.js";
import { STANDARD_CLASSES } from "./standard.js";

export interface PickleReadOptions {
  /**
   * What classes beyond the standard library's plain ones become, by `module.name`.
   * An entry of the same name comes before the built-in one.
   */
  readonly classes?: PickleClasses | undefined;
  /**
   * How many containers may lie inside each other.
   * @defaultValue 1000
   */
  readonly maxDepth?: number | undefined;
}

const INSTRUCTIONS: readonly (Instruction | undefined)[] = instructionTable();

function instructionTable(): readonly (Instruction | undefined)[] {
  const table = new Array<Instruction | undefined>(256).fill(undefined);
  for (const group of [ATOMS, CONTAINERS, OBJECTS]) {
    for (const [opcode, instruction] of group) table[opcode] = instruction;
  }
  table[Op.proto] = (machine) => checkProtocol(machine.input.uint8());
  // Frames say how much to read ahead from a file; here everything is at hand.
  table[Op.frame] = (machine) => machine.input.size64();
  return table;
}

/**
 * Reads pickles of the protocols 0 to 5 as data. The bytes cannot make anything run:
 * what a pickle calls stands in a table, and is one of Python's plain types or what
 * the user has put there.
 */
export class PickleReader {
  readonly #classes: ReadonlyMap<string, PickleClass>;
  readonly #maxDepth: number;

  constructor(options: PickleReadOptions = {}) {
    const { classes = {}, maxDepth = 1000 } = options;
    if (typeof classes !== "object" || classes === null) {
      throw new OptionError(`pickle.classes must be an object, not ${show(classes)}`);
    }
    const table = new Map(STANDARD_CLASSES);
    for (const [name, definition] of Object.entries(classes)) {
      if (typeof definition !== "function" && typeof definition?.create !== "function") {
        throw new OptionError(
          `pickle.classes must have a function or an object with create for ${JSON.stringify(name)}`,
        );
      }
      table.set(name, typeof definition === "function" ? { create: definition } : definition);
    }
    this.#classes = table;
    this.#maxDepth = checkInteger(maxDepth, "pickle.maxDepth", 1, Number.MAX_SAFE_INTEGER);
  }

  /**
   * The value that `bytes[start, end)` pickle; nothing of it is a view into them.
   * @throws CodecError for anything but a whole pickle of known classes
   */
  read(bytes: Buffer, start: number, end: number): unknown {
    const input = new PickleInput(bytes, start, end);
    const machine = new PickleMachine(input, this.#classes, this.#maxDepth);
    try {
      for (let opcode = input.uint8(); opcode !== Op.stop; opcode = input.uint8()) {
        const instruction = INSTRUCTIONS[opcode];
        if (instruction === undefined) {
          throw new CodecError(
            `The pickle has an instruction that is not known here, 0x${opcode.toString(16)}`,
          );
        }
        instruction(machine);
      }
      return machine.result();
    } catch (error) {
      // A user's class may throw anything.
      if (error instanceof CodecError) throw error;
      throw new CodecError("A class of the pickle could not be made", { cause: error });
    }
  }
}

/**
 * Reads the log of V8 that `--prof --log-deopt` writes: which code there was of each function,
 * where samples fell, and which code was thrown away as wrong. Its lines are those that
 * `node --prof-process` reads:
 *
 *   code-creation,<type>,<kind>,<time>,<address>,<size>,<name place>,<function>,<tier>
 *   code-move,<from>,<to>
 *   code-deopt,<time>,<size>,<address>,<inlining>,<offset>,<kind>,<places>,<reason>
 *   tick,<pc>,<time>,<external>,<address>,<state>,<frame>,<frame>…
 */

/** How V8 runs a function, by the sign that stands for it in the log. */
const TIERS = { "~": "Ignition", "^": "Sparkplug", "+": "Maglev", "*": "TurboFan" } as const;

export type Tier = (typeof TIERS)[keyof typeof TIERS];

/** What became of a function. */
export interface Compiled {
  readonly name: string;
  /** `file:///…:line:column` of where it begins. */
  readonly place: string;
  readonly deopts: readonly Deopt[];
  /** The samples after the mark in which it was the innermost JavaScript, by how it ran. */
  readonly samples: ReadonlyMap<Tier, number>;
}

/** Optimised code that did not hold. */
export interface Deopt {
  readonly reason: string;
  /** Where in the source, which may be in a function that was inlined. */
  readonly place: string;
  /** Whether it was after the mark. */
  readonly isLate: boolean;
}

/** The state of a sample taken in JavaScript, and not in the collector or the kernel. */
const IN_JAVASCRIPT = "0";

/**
 * The functions of a log, with what happened after a function named `mark` was first called.
 * @throws Error if that never was
 */
export function readCodeLog(log: string, mark: string): Compiled[] {
  const code = new CodeMap();
  let isLate = false;
  for (const line of log.split("\n")) {
    const [event, ...fields] = line.split(",");
    if (event === "code-creation") {
      const created = code.create(fields);
      isLate ||= created?.name === mark;
    } else if (event === "code-move") {
      code.move(Number(fields[0]), Number(fields[1]));
    } else if (event === "code-deopt") {
      const [, , address, , , , places = "", reason = ""] = fields;
      const place = /<(.*?)>/.exec(places)?.[1] ?? places;
      code.at(Number(address))?.record.deopts.push({ reason, place, isLate });
    } else if (event === "tick" && isLate) {
      const [pc, , , , state, ...frames] = fields;
      if (state === IN_JAVASCRIPT) code.sample([pc!, ...frames].map(Number));
    }
  }
  if (!isLate) throw new Error(`${mark} is not in the log`);
  return code.records;
}

interface Record extends Compiled {
  readonly deopts: Deopt[];
  readonly samples: Map<Tier, number>;
}

interface Code {
  readonly size: number;
  readonly tier: Tier;
  readonly record: Record;
}

/** Which code lies where. Addresses are used again once code was collected. */
class CodeMap {
  readonly #code = new Map<number, Code>();
  readonly #records = new Map<string, Record>();
  /** The addresses in order, made when one is looked for. */
  #addresses: number[] | undefined;

  get records(): Record[] {
    return [...this.#records.values()];
  }

  /** Notes the code of a function that has a name and a place; other code runs no source. */
  create([, , , address, size, named = "", , sign = ""]: readonly string[]): Record | undefined {
    const tier = TIERS[sign[0] as keyof typeof TIERS];
    const [, name = "", place = ""] = /^(.*) (\S+:\d+:\d+)$/.exec(named) ?? [];
    this.#addresses = undefined;
    this.#code.delete(Number(address));
    if (tier === undefined || place === "") return undefined;
    const record = this.#records.get(named) ?? { name, place, deopts: [], samples: new Map() };
    this.#records.set(named, record);
    this.#code.set(Number(address), { size: Number(size), tier, record });
    return record;
  }

  move(from: number, to: number): void {
    const code = this.#code.get(from);
    if (code === undefined) return;
    this.#addresses = undefined;
    this.#code.delete(from);
    this.#code.set(to, code);
  }

  at(address: number): Code | undefined {
    return this.#code.get(address);
  }

  /** Counts a sample for the innermost frame whose function is known. */
  sample(frames: readonly number[]): void {
    for (const frame of frames) {
      const code = this.#around(frame);
      if (code === undefined) continue;
      const { samples } = code.record;
      samples.set(code.tier, (samples.get(code.tier) ?? 0) + 1);
      return;
    }
  }

  #around(address: number): Code | undefined {
    this.#addresses ??= [...this.#code.keys()].sort((a, b) => a - b);
    let low = 0;
    let high = this.#addresses.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#addresses[middle]! <= address) low = middle + 1;
      else high = middle;
    }
    const start = this.#addresses[low - 1];
    if (start === undefined) return undefined;
    const code = this.#code.get(start)!;
    return address < start + code.size ? code : undefined;
  }
}

import { OptionError } from "../../errors.js";
import { checkChoice } from "../../util/check.js";
import { show } from "../../util/show.js";
import { Pickling } from "./pickling.js";

export interface PickleWriteOptions {
  /**
   * 2 is read by every Python, 3 by Python 3, 4 from 3.4 on, 5 from 3.8 on.
   * @defaultValue 4
   */
  readonly protocol?: 2 | 3 | 4 | 5 | undefined;
  /**
   * Whether `undefined` inside a value is refused or written as None.
   * @defaultValue "refuse"
   */
  readonly undefined?: "refuse" | "none" | undefined;
}

/** Writes values as pickles that make Python's own types, and nothing else. */
export class PickleWriter {
  readonly #protocol: number;
  readonly #noneForUndefined: boolean;

  /** @throws OptionError for a protocol that is not written, or another choice of `undefined` */
  constructor(options: PickleWriteOptions = {}) {
    const { protocol = 4, undefined: missing = "refuse" } = options;
    if (![2, 3, 4, 5].includes(protocol)) {
      throw new OptionError(`pickle.protocol must be 2, 3, 4 or 5, not ${show(protocol)}`);
    }
    this.#protocol = protocol;
    this.#noneForUndefined =
      checkChoice(missing, "pickle.undefined", ["refuse", "none"]) === "none";
  }

  /** @throws CodecError for what has no meaning in Python, with the path to it */
  write(value: unknown): Buffer {
    return new Pickling(this.#protocol, this.#noneForUndefined).run(value);
  }
}

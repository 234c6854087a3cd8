const INITIAL = 16;

/**
 * A queue in a ring that grows by doubling, so that pushing and shifting cost the same
 * however long it gets (an array's `shift` does not).
 *
 * ```
 *   slots  [ . . c d e f . . ]     mask = 7
 *                ^head   ^head + length
 * ```
 */
export class Fifo<T> {
  #slots: (T | undefined)[] = newSlots(INITIAL);
  #mask = INITIAL - 1;
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(item: T): void {
    if (this.#length > this.#mask) this.#grow();
    this.#slots[(this.#head + this.#length) & this.#mask] = item;
    this.#length++;
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & this.#mask;
    this.#length--;
    return item;
  }

  /** The n-th item from the front, 0 for the oldest. */
  at(n: number): T | undefined {
    return n < this.#length ? this.#slots[(this.#head + n) & this.#mask] : undefined;
  }

  /** Takes out what is not to be kept; the rest stays in its order. `keep` leaves the queue alone. */
  retain(keep: (item: T) => boolean): void {
    const { length } = this;
    let kept = 0;
    for (let i = 0; i < length; i++) {
      const slot = (this.#head + i) & this.#mask;
      const item = this.#slots[slot]!;
      if (!keep(item)) continue;
      this.#slots[(this.#head + kept++) & this.#mask] = item;
    }
    for (let i = kept; i < length; i++) this.#slots[(this.#head + i) & this.#mask] = undefined;
    this.#length = kept;
  }

  /** Takes everything out, oldest first. */
  drain(): T[] {
    const items: T[] = [];
    for (let item = this.shift(); item !== undefined; item = this.shift()) items.push(item);
    this.#slots = newSlots(INITIAL);
    this.#mask = INITIAL - 1;
    this.#head = 0;
    return items;
  }

  #grow(): void {
    const { length } = this;
    const slots: (T | undefined)[] = newSlots(this.#slots.length * 2);
    for (let i = 0; i < length; i++) slots[i] = this.at(i);
    this.#slots = slots;
    this.#mask = slots.length - 1;
    this.#head = 0;
  }
}

function newSlots(length: number): undefined[] {
  return new Array(length).fill(undefined);
}

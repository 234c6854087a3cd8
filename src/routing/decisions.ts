/** What is known of a key while its own server decides about changes to it. */
interface Undecided {
  /** How many changes those are. */
  count: number;
  /** How often all servers were told since what the item is, whatever it was before. */
  overwritten: number;
}

/**
 * Changes that a key's own server decides before its copies follow. One that is overwritten
 * meanwhile has nothing to follow: the copies have been told already what came after it.
 */
export class Decisions {
  readonly #byKey = new Map<string, Undecided>();

  /** A key is set, or deleted, on all of its servers at once. */
  overwrite(key: string): void {
    const undecided = this.#byKey.get(key);
    if (undecided !== undefined) undecided.overwritten++;
  }

  /**
   * A key's own server is asked to decide. What this returns is called when it has, and when it
   * never will, which for a request that failed unsent is both: whether what it decided still holds.
   */
  begin(key: string): () => boolean {
    const undecided = this.#byKey.get(key) ?? { count: 0, overwritten: 0 };
    this.#byKey.set(key, undecided);
    undecided.count++;
    const { overwritten } = undecided;
    let isOpen = true;
    return () => {
      if (isOpen && --undecided.count === 0) this.#byKey.delete(key);
      isOpen = false;
      return undecided.overwritten === overwritten;
    };
  }
}

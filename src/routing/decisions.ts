/** Changes to one key that are under way, of which its own server decides one at least. */
interface Decision {
  /** How many changes there were. */
  changes: number;
  /** How many of them the server has not decided yet. */
  open: number;
}

/**
 * Knows which keys were changed again while their own server decided about a change. The
 * copies of such a key have had the later change already, so that the earlier one would undo it.
 */
export class Decisions {
  readonly #byKey = new Map<string, Decision>();

  /** A change of a key is sent. */
  changed(key: string): void {
    const decision = this.#byKey.get(key);
    if (decision !== undefined) decision.changes++;
  }

  /**
   * A key's own server is asked to decide. What this returns is called when it has, or never will:
   * whether nothing else has changed the key since.
   */
  begin(key: string): () => boolean {
    const decision = this.#byKey.get(key) ?? { changes: 0, open: 0 };
    this.#byKey.set(key, decision);
    decision.open++;
    const { changes } = decision;
    let isOpen = true;
    return () => {
      if (isOpen && --decision.open === 0) this.#byKey.delete(key);
      isOpen = false;
      return decision.changes === changes;
    };
  }
}

const SIGNS = { passed: "✓", "passed in part": "◐", failed: "✗", "not said": "—" };

const MEANINGS =
  "✓ as it should be   ✗ not   — the wire has no words for it, and says so   ◐ nobody can ask for its ttl";

export type Outcome = keyof typeof SIGNS;

/** The outcome of each case on each target, for a person to look over. */
export class Table {
  readonly #columns: readonly string[];
  readonly #rows = new Map<string, string[]>();

  constructor(columns: readonly string[]) {
    this.#columns = columns;
  }

  set(row: string, column: string, outcome: Outcome): void {
    const cells = this.#rows.get(row) ?? this.#columns.map(() => " ");
    this.#rows.set(row, cells);
    cells[this.#columns.indexOf(column)] = SIGNS[outcome];
  }

  has(outcome: Outcome): boolean {
    return [...this.#rows.values()].some((cells) => cells.includes(SIGNS[outcome]));
  }

  toString(): string {
    const letters = this.#columns.map((_, i) => String.fromCharCode(65 + i));
    const legend = this.#columns.map((column, i) => `  ${letters[i]}  ${column}`);
    const rows = [...this.#rows].map(([row, cells]) => `${cells.join(" ")}  ${row}`);
    return [MEANINGS, ...legend, "", letters.join(" "), ...rows].join("\n");
  }
}

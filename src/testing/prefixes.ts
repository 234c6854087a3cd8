interface PrefixCount {
  get: number;
  hit: number;
  set: number;
  del: number;
}

/** What `stats detail` counts for each prefix of keys, the part before a delimiter. */
export class Prefixes {
  enabled = false;
  readonly #delimiter: string;
  readonly #counts = new Map<string, PrefixCount>();

  constructor(delimiter: string) {
    this.#delimiter = delimiter;
  }

  countGet(key: string, hit: boolean): void {
    const count = this.#of(key);
    if (count === undefined) return;
    count.get++;
    if (hit) count.hit++;
  }

  countSet(key: string): void {
    const count = this.#of(key);
    if (count !== undefined) count.set++;
  }

  countDelete(key: string): void {
    const count = this.#of(key);
    if (count !== undefined) count.del++;
  }

  reset(): void {
    this.#counts.clear();
  }

  dump(): string {
    let lines = "";
    for (const [prefix, { get, hit, set, del }] of this.#counts) {
      lines += `PREFIX ${prefix} get ${get} hit ${hit} set ${set} del ${del}\r\n`;
    }
    return `${lines}END\r\n`;
  }

  #of(key: string): PrefixCount | undefined {
    if (!this.enabled) return undefined;
    const end = key.indexOf(this.#delimiter);
    if (end < 0) return undefined;
    const prefix = key.slice(0, end);
    const found = this.#counts.get(prefix);
    if (found !== undefined) return found;
    const fresh = { get: 0, hit: 0, set: 0, del: 0 };
    this.#counts.set(prefix, fresh);
    return fresh;
  }
}

/** What is known of one key. */
interface Item {
  /** The version that was written last, whatever became of it. */
  begun: number;
  /** The newest version that a server has acknowledged. */
  stored: number;
  /** When the writing of that one began. */
  storedBegan: number;
  writing: boolean;
}

/** A version on its way to its server. */
export interface Writing {
  readonly value: string;
  stored(): void;
  /** Nobody knows whether it was stored. */
  unknown(): void;
}

/** A read that has begun: what was acknowledged by then must be seen. */
export interface Reading {
  readonly key: string;
  readonly began: number;
  readonly atLeast: number;
  /** When the writing of `atLeast` began. */
  readonly writtenAt: number;
}

export type Judgement = "right" | "stale" | "wrong";

/**
 * Which versions of each key may be seen. Each value carries its key and its version, and a
 * key has one writer at a time, so that a read may see the last version that was
 * acknowledged before it began, or one that was begun after that, and nothing else.
 */
export class History {
  readonly #items = new Map<string, Item>();

  /** The next version of a key; undefined as long as the last one is on its way. */
  write(key: string): Writing | undefined {
    const item = this.#item(key);
    if (item.writing) return undefined;
    item.writing = true;
    const version = ++item.begun;
    const began = performance.now();
    return {
      value: textOf(key, version),
      stored: () => {
        item.writing = false;
        item.stored = version;
        item.storedBegan = began;
      },
      unknown: () => {
        item.writing = false;
      },
    };
  }

  read(key: string): Reading {
    const { stored, storedBegan } = this.#item(key);
    return { key, began: performance.now(), atLeast: stored, writtenAt: storedBegan };
  }

  judge({ key, atLeast }: Reading, value: unknown): Judgement {
    const version = this.versionOf(key, value);
    if (version === undefined) return "wrong";
    return version < atLeast ? "stale" : "right";
  }

  /** The version that a value is; undefined if it was never one of this key. */
  versionOf(key: string, value: unknown): number | undefined {
    const version = typeof value === "string" ? Number(value.split("|")[1]) : Number.NaN;
    const exists = version >= 1 && version <= this.#item(key).begun;
    return exists && value === textOf(key, version) ? version : undefined;
  }

  /** The newest version of a key that was begun. */
  begun(key: string): number {
    return this.#item(key).begun;
  }

  #item(key: string): Item {
    let item = this.#items.get(key);
    if (item === undefined) {
      item = { begun: 0, stored: 0, storedBegan: 0, writing: false };
      this.#items.set(key, item);
    }
    return item;
  }
}

/** Mostly a line; one in fifty is larger than what goes out in one piece with others. */
function textOf(key: string, version: number): string {
  const unit = `${key}.${version}.`;
  return `${key}|${version}|${unit.repeat(version % 50 === 0 ? 2_000 : 5)}`;
}

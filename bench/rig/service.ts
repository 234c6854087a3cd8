import { getHeapStatistics } from "node:v8";

interface Entity {
  readonly id: number;
  readonly name: string;
  readonly tags: readonly number[];
}

const entities: Entity[] = [];

/**
 * Fills the heap with what a service keeps besides a client, at least so many megabytes.
 * V8 decides by what is alive how much may be allocated until it collects all of it, so in
 * a process that holds a client alone a collection comes sooner than in any service.
 */
export function holdObjects(megabytes: number): void {
  const enough = getHeapStatistics().used_heap_size + megabytes * 1_000_000;
  while (getHeapStatistics().used_heap_size < enough) {
    for (let n = 0; n < 1000; n++) {
      const id = entities.length;
      entities.push({ id, name: `entity ${id}`, tags: [id, id + 1] });
    }
  }
}

import { expect } from "vitest";
import type { Hit } from "../../src/protocol/reply.js";

/** The items that a wire delivered, and what it promised of their memory. */
export class Delivered {
  readonly #hits: Hit[] = [];
  readonly #owned: { readonly value: Buffer; readonly text: string }[] = [];

  add(hit: Hit): void {
    this.#hits.push(hit);
    if (!hit.owned || hit.bytes === undefined) return;
    const value = hit.bytes.subarray(hit.start, hit.end);
    this.#owned.push({ value, text: value.toString("latin1") });
  }

  /** To be called when the chunks that they came in are overwritten. */
  check(): void {
    for (const { value, text } of this.#owned) {
      expect(value.toString("latin1"), "a value that may be kept").toBe(text);
    }
    // A scratch object that kept a large value would hold its memory until the next one.
    for (const { bytes } of this.#hits) expect(bytes).toBeUndefined();
  }
}

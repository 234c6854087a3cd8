import { latin1All } from "../util/bytes.js";
import type { Data } from "./request.js";

/** Data over this size are sent as they are instead of being copied into the batch. */
const LARGE = 16 * 1024;

/**
 * The bytes of one tick's requests: one string in which each character is a byte, and
 * large data between pieces of it. One string is the cheapest batch that Node has.
 */
export class Outgoing {
  /** What was appended since the last large piece. */
  text = "";
  /** Everything before `text`, in order; empty unless there was a large piece. */
  readonly pieces: Data[] = [];

  append(text: string): void {
    this.text += text;
  }

  /** Appends a value's bytes. */
  appendData(data: Data): void {
    if (data.length > LARGE) {
      this.pieces.push(this.text, data);
      this.text = "";
    } else if (typeof data === "string") {
      this.text += data;
    } else {
      this.text += latin1All(data);
    }
  }

  get isEmpty(): boolean {
    return this.text === "" && this.pieces.length === 0;
  }

  clear(): void {
    this.text = "";
    this.pieces.length = 0;
  }
}

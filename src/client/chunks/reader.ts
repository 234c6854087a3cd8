import { getAndTouchRequest, getRequest } from "../../commands/retrieval.js";
import { CacheMiss } from "../../errors.js";
import type { Command } from "../../operation.js";
import type { GetRequest } from "../../protocol/request.js";
import { latin1, ownBytes } from "../../util/bytes.js";
import type { Decoder } from "../../value/codec.js";
import { FLAG_CHUNKED } from "../../value/flags.js";
import type { ChunkCall } from "./call.js";
import { Manifest } from "./manifest.js";
import type { ChunkLimits } from "./options.js";

/** What decodes a call's values where they may be in chunks: it fetches those first. */
export class ChunkReader implements Decoder {
  readonly #inner: Decoder;
  readonly #call: ChunkCall;
  readonly #limits: ChunkLimits;
  /** The exptime that reading gives to what it reads. */
  readonly #touch: number | undefined;

  constructor(inner: Decoder, call: ChunkCall, limits: ChunkLimits, touch: number | undefined) {
    this.#inner = inner;
    this.#call = call;
    this.#limits = limits;
    this.#touch = touch;
  }

  get slow(): Decoder["slow"] {
    return this.#inner.slow;
  }

  decode(
    bytes: Buffer,
    start: number,
    end: number,
    flags: number,
    owned: boolean,
    key?: string,
  ): unknown {
    if (flags !== FLAG_CHUNKED || key === undefined) {
      return this.#inner.decode(bytes, start, end, flags, owned, key);
    }
    return this.#join(Manifest.parse(latin1(bytes, start, end), this.#limits), key);
  }

  /** Memory is used for what has come, and not for what a manifest promises. */
  async #join(manifest: Manifest, key: string): Promise<unknown> {
    const chunks: Buffer[] = [];
    const isWhole = await this.#call.every(manifest.count, async (index) => {
      const command = getChunk(manifest.length(index));
      const chunk = await this.#call.ask(command, this.#request(manifest.key(key, index)));
      if (chunk === undefined) return false;
      chunks[index] = chunk;
      return true;
    });
    if (!isWhole) throw new CacheMiss("A chunk of the value is gone");
    const { size, flags } = manifest;
    return this.#inner.decode(Buffer.concat(chunks, size), 0, size, flags, true, key);
  }

  #request(key: string): GetRequest {
    return this.#touch === undefined
      ? getRequest(key)
      : getAndTouchRequest(key, false, this.#touch);
  }
}

/** Reads a chunk; undefined if it is gone, or is something else. */
function getChunk(length: number): Command<Buffer | undefined> {
  return {
    name: "get",
    idempotent: true,
    immutable: true,
    read(reply) {
      if (reply.kind !== "hit" || reply.flags !== FLAG_CHUNKED) return undefined;
      const { bytes, start, end, owned } = reply;
      return end - start === length ? ownBytes(bytes!, start, end, owned) : undefined;
    },
  };
}

import { del, deleteRequest } from "../../commands/deletion.js";
import { getRequest, touch, touchRequest } from "../../commands/retrieval.js";
import { set, setRequest } from "../../commands/storage.js";
import { CodecError, MemcachedError, ValueTooLargeError } from "../../errors.js";
import type { Command } from "../../operation.js";
import { exptime, type Ttl } from "../../protocol/exptime.js";
import type { Key } from "../../protocol/key.js";
import { type GetRequest, isJoining } from "../../protocol/request.js";
import { latin1 } from "../../util/bytes.js";
import { checkBoolean } from "../../util/check.js";
import { ownOptions } from "../../util/names.js";
import { whenReady } from "../../util/ready.js";
import type { Decoder, Encoded, EncodedData } from "../../value/codec.js";
import { FLAG_CHUNKED } from "../../value/flags.js";
import { checkFlags } from "../calls/check.js";
import type { Chunking, Dispatcher, Storing } from "../calls/dispatcher.js";
import type { Reject, Resolve } from "../calls/gathering.js";
import {
  type CallOptions,
  type StoreOptions,
  WRITE_OPTIONS,
  type WriteOptions,
} from "../calls/options.js";
import { storageRequest } from "../calls/storing.js";
import { ChunkCall } from "./call.js";
import { Manifest } from "./manifest.js";
import type { ChunkLimits } from "./options.js";
import { ChunkReader } from "./reader.js";

/** What is asked about an item before it is known whether it is a manifest. */
interface Look {
  readonly wireKey: string;
  readonly flags: number;
}

/**
 * Values past the item limit, each in chunks under keys of their own:
 *
 * ```
 *   set   chunk 0 ─┐
 *         chunk 1 ─┼─► the manifest, under the value's key   get   the manifest ─┬─► chunk 0
 *         chunk 2 ─┘                                                             ├─► chunk 1 …
 * ```
 *
 * A manifest is stored when all of its chunks are, and takes effect at once, so that
 * writers replace each other's values whole. Chunks that nobody names any more wait for
 * their exptime, or to be evicted: a reader may still be fetching them.
 */
export class Chunks implements Chunking {
  readonly #dispatcher: Dispatcher;
  readonly #limits: ChunkLimits;
  /** The binary protocol tells an item's flags with its value or not at all. */
  readonly #binary: boolean;

  constructor(dispatcher: Dispatcher, limits: ChunkLimits, binary: boolean) {
    this.#dispatcher = dispatcher;
    this.#limits = limits;
    this.#binary = binary;
  }

  decoderFor(request: GetRequest, options: CallOptions | undefined, deadline: number): Decoder {
    const call = new ChunkCall(this.#dispatcher, options, deadline);
    return new ChunkReader(this.#dispatcher.codec, call, this.#limits, request.touch);
  }

  store(
    storing: Storing,
    encoded: Encoded | Promise<Encoded>,
    given: StoreOptions | undefined,
  ): Promise<boolean> {
    const { mode } = storing.command;
    const options = given && ownOptions(given);
    // What fails below fails the call; an encoding that fails as well is then nobody's.
    if (encoded instanceof Promise) encoded.catch(() => {});
    return new Promise((resolve, reject) => {
      if (isJoining(mode)) {
        const checked = this.#checkWhole(storing, encoded, options);
        this.#send(storing, checked, options, resolve, reject);
      } else if (encoded instanceof Promise || encoded.data.length > this.#limits.size) {
        this.#storeLarge(storing, encoded, options, resolve, reject);
      } else {
        this.#send(storing, encoded, options, resolve, reject);
      }
    });
  }

  /** Waits for the answer even with noreply: only the answer tells whether there are chunks. */
  async touch(
    name: string,
    key: Key,
    ttl: Ttl,
    options: WriteOptions | undefined,
  ): Promise<boolean> {
    checkBoolean(options?.noreply ?? false, "noreply");
    const expiry = exptime(ttl, Date.now);
    const call = this.#call(options);
    const found = await this.#dispatcher.one(look(name), key, options, WRITE_OPTIONS, (wireKey) =>
      this.#lookRequest(wireKey, expiry),
    );
    if (found === undefined) return false;
    if (found.flags !== FLAG_CHUNKED) return true;
    const { wireKey } = found;
    const manifest = await call.ask(getManifest(name, this.#limits), getRequest(wireKey));
    if (manifest === undefined) return true;
    return call.every(manifest.count, (index) =>
      call.ask({ ...touch, name }, touchRequest(manifest.key(wireKey, index), expiry, false)),
    );
  }

  #call(options: CallOptions | undefined): ChunkCall {
    return new ChunkCall(this.#dispatcher, options, this.#dispatcher.deadline(options));
  }

  #send(
    { command, wireKey, compareCas }: Storing,
    encoded: Encoded | Promise<Encoded>,
    options: StoreOptions | undefined,
    resolve: Resolve<boolean>,
    reject: Reject,
  ): void {
    const dispatcher = this.#dispatcher;
    const request = (data: Encoded) =>
      storageRequest(dispatcher, command, wireKey, data, options, compareCas);
    const making = whenReady(encoded, request);
    dispatcher.sendWhenMade(command, making, wireKey, options, resolve, reject);
  }

  /**
   * Stores a value that may turn out to be too large for one item. Its chunks are taken
   * back if their manifest was certainly not stored.
   */
  #storeLarge(
    storing: Storing,
    encoded: Encoded | Promise<Encoded>,
    options: StoreOptions | undefined,
    resolve: Resolve<boolean>,
    reject: Reject,
  ): void {
    const flags = options?.flags;
    const own = Object.assign(this.#dispatcher.timed(options ?? {}), { flags: undefined });
    const call = this.#call(own);
    let manifest: Manifest | undefined;
    let isOver = false;
    const place = async (given: Encoded): Promise<Encoded> => {
      const value = flags === undefined ? given : { data: given.data, flags: checkFlags(flags) };
      if (isOver || value.data.length <= this.#limits.size) return value;
      const written = this.#manifestOf(value);
      await this.#writeChunks(call, storing, written, value.data, own);
      manifest = written;
      if (isOver) takeBack();
      return written.encoded;
    };
    const takeBack = () => {
      if (manifest !== undefined) this.#discard(storing.wireKey, manifest, own);
    };
    const stored = (yes: boolean) => {
      if (!yes) takeBack();
      resolve(yes);
    };
    const failed: Reject = (error, operation) => {
      isOver = true;
      const { sent } = error instanceof MemcachedError ? error : (operation ?? { sent: true });
      if (!sent) takeBack();
      reject(error);
    };
    this.#send(storing, whenReady(encoded, place), own, stored, failed);
  }

  #manifestOf(value: Encoded): Manifest {
    const { length } = value.data;
    const { size, maxSize } = this.#limits;
    if (length <= maxSize) return Manifest.of(value, size);
    throw new ValueTooLargeError(
      `The value is ${length} bytes and chunk.maxSize is ${maxSize}; raise it, and where the value is read too`,
      length,
      maxSize,
    );
  }

  async #writeChunks(
    call: ChunkCall,
    { command, wireKey }: Storing,
    manifest: Manifest,
    data: EncodedData,
    options: StoreOptions | undefined,
  ): Promise<void> {
    const expiry = exptime(options?.ttl ?? 0, Date.now);
    const setChunk = { ...set, name: command.name };
    try {
      await call.every(manifest.count, (index) => {
        const key = manifest.key(wireKey, index);
        const part = manifest.slice(data, index);
        const request = setRequest("set", key, part, FLAG_CHUNKED, expiry, undefined, false);
        return call.ask(setChunk, request);
      });
    } catch (error) {
      this.#discard(wireKey, manifest, options);
      throw error;
    }
  }

  /** Deletes chunks that nobody can know of. Nobody waits for it: they would go in time anyway. */
  #discard(wireKey: string, manifest: Manifest, options: CallOptions | undefined): void {
    const call = this.#call({ groupKey: options?.groupKey });
    const discarding = call.every(manifest.count, async (index) => {
      await call.ask(del, deleteRequest(manifest.key(wireKey, index), false));
      return true;
    });
    discarding.catch(() => {});
  }

  /** What is to be added to an item, once it is known that the item is not a manifest. */
  async #checkWhole(
    { command, wireKey }: Storing,
    encoded: Encoded | Promise<Encoded>,
    options: CallOptions | undefined,
  ): Promise<Encoded> {
    const request = this.#lookRequest(wireKey, undefined);
    const looking = this.#dispatcher.step(look(command.name), request, wireKey, options);
    const [data, found] = await Promise.all([encoded, looking]);
    if (found?.flags !== FLAG_CHUNKED) return data;
    throw new CodecError(
      `${command.name}: the value is in chunks, to which nothing can be added; set it again`,
      { command: command.name },
    );
  }

  #lookRequest(wireKey: string, expiry: number | undefined): GetRequest {
    const request = { ...getRequest(wireKey), touch: expiry };
    return this.#binary ? request : { ...request, value: false, meta: { returnFlags: true } };
  }
}

function look(name: string): Command<Look | undefined> {
  return {
    name,
    idempotent: true,
    read: (reply, { request }) =>
      reply.kind === "hit" ? { wireKey: request.key, flags: reply.flags } : undefined,
  };
}

/** Reads a manifest; undefined if the item is gone, or is something else by now. */
function getManifest(name: string, limits: ChunkLimits): Command<Manifest | undefined> {
  return {
    name,
    idempotent: true,
    read(reply) {
      if (reply.kind !== "hit" || reply.flags !== FLAG_CHUNKED) return undefined;
      return Manifest.parse(latin1(reply.bytes!, reply.start, reply.end), limits);
    },
  };
}

import { GetMany, getRequest, manyRequest } from "../../commands/retrieval.js";
import { Operation, type Parts } from "../../operation.js";
import type { Key } from "../../protocol/key.js";
import { MAX_LINE_BYTES, MAX_LINE_KEYS } from "../../protocol/text/wire.js";
import type { Server } from "../../routing/server.js";
import { ownOptions } from "../../util/names.js";
import { inBase64 } from "./base64.js";
import type { Dispatcher } from "./dispatcher.js";
import { Gathering, type Reject, type Resolve } from "./gathering.js";
import { checkIterable } from "./keys.js";
import { CALL_OPTIONS, type CallOptions } from "./options.js";

/** Calls that read many keys: split by server, sent at once, gathered into one result. */

/** Keys that share a request line, as they were given and as they are sent. */
class Line<K extends Key> implements Parts {
  readonly server: Server;
  /** What decides the server, of the first key and so of all. */
  readonly route: string;
  readonly given: K[] = [];
  readonly wire: string[] = [];
  readonly #call: ReadMany<K>;
  #bytes = 0;

  constructor(call: ReadMany<K>, server: Server, route: string) {
    this.#call = call;
    this.server = server;
    this.route = route;
  }

  hasRoomFor(wireKey: string): boolean {
    return this.wire.length < MAX_LINE_KEYS && this.#bytes + wireKey.length < MAX_LINE_BYTES;
  }

  add(key: K, wireKey: string): void {
    this.given.push(key);
    this.wire.push(wireKey);
    this.#bytes += wireKey.length + 1;
  }

  sendEach(moved: boolean): void {
    this.#call.sendEach(this, moved);
  }
}

/** One call that reads many keys, with one request line for each server and hundred keys. */
class ReadMany<K extends Key> {
  readonly #dispatcher: Dispatcher;
  readonly #name: string;
  readonly #cas: boolean;
  #options: CallOptions | undefined;
  /** All keys at first, so that one given twice is seen, and the results are in their order. */
  readonly #results = new Map<K, unknown>();
  readonly #lines: Line<K>[];
  readonly #gathering: Gathering<Map<K, unknown>>;
  #deadline = 0;

  constructor(
    dispatcher: Dispatcher,
    keys: Iterable<K>,
    cas: boolean,
    options: CallOptions | undefined,
    resolve: Resolve<Map<K, unknown>>,
    reject: Reject,
  ) {
    this.#dispatcher = dispatcher;
    this.#name = nameOf(cas);
    this.#cas = cas;
    this.#options = options && ownOptions(options);
    this.#lines = linesOf(this, dispatcher, keys, options, this.#results);
    this.#gathering = new Gathering(this.#name, this.#lines.length, this.#results, resolve, reject);
  }

  /** Sends the lines behind the calls on the same keys that came before. */
  sendInTurn(): void {
    try {
      this.#sendInTurn();
    } catch (error) {
      this.#gathering.end(error);
    }
  }

  #sendInTurn(): void {
    const wireKeys = () => this.#lines.flatMap(({ wire }) => wire);
    if (!this.#dispatcher.turns.areHeld(wireKeys)) {
      this.#sendAll();
      return;
    }
    const sendAll = (_: undefined, options: CallOptions) => {
      this.#options = options;
      this.#sendAll();
    };
    const failed = (error: unknown) => this.#gathering.end(error);
    this.#dispatcher.wait(this.#name, wireKeys(), undefined, this.#options, sendAll, failed);
  }

  #sendAll(): void {
    this.#deadline = this.#dispatcher.deadline(this.#options);
    for (const line of this.#lines) this.#send(line, false);
  }

  /** Asks for each key of a line by itself. */
  sendEach({ server, given, wire }: Line<K>, moved: boolean): void {
    this.#gathering.add(wire.length - 1);
    for (const [i, key] of wire.entries()) {
      const line = new Line(this, server, this.#dispatcher.route(key, this.#options));
      line.add(given[i]!, key);
      this.#send(line, moved);
    }
  }

  #send(line: Line<K>, moved: boolean): void {
    const { server, wire } = line;
    const dispatcher = this.#dispatcher;
    const gathering = this.#gathering;
    const command = new GetMany(this.#name, line.given, this.#results, this.#cas);
    const failed = (error: unknown) => {
      command.dropMisses();
      gathering.fail(server.name, error);
    };
    const request = dispatcher.needsBase64(wire[0]!)
      ? inBase64({ ...getRequest(wire[0]!), cas: this.#cas })
      : manyRequest(wire, this.#cas);
    const operation = new Operation(
      command,
      request,
      line.route,
      dispatcher.decoderFor(request, this.#options, this.#deadline),
      this.#deadline,
      (decoding: Promise<void> | undefined) => {
        if (decoding === undefined) gathering.done();
        else decoding.then(() => gathering.done()).catch(failed);
      },
      failed,
    );
    operation.moved = moved;
    if (wire.length > 1) operation.parts = line;
    dispatcher.start(operation, dispatcher.executor, this.#options?.signal);
  }
}

/** Reads many keys with one request line for each server and hundred keys. */
export function getMany<K extends Key>(
  dispatcher: Dispatcher,
  keys: Iterable<K>,
  cas: boolean,
  options: CallOptions | undefined,
): Promise<Map<K, unknown>> {
  return new Promise((resolve, reject) => {
    dispatcher.begin(options, CALL_OPTIONS, nameOf(cas));
    new ReadMany(dispatcher, keys, cas, options, resolve, reject).sendInTurn();
  });
}

function nameOf(cas: boolean): string {
  return cas ? "getsMulti" : "getMulti";
}

/** The lines of some keys, by server. Notes in `results` which keys there are, each once. */
function linesOf<K extends Key>(
  call: ReadMany<K>,
  dispatcher: Dispatcher,
  keys: Iterable<K>,
  options: CallOptions | undefined,
  results: Map<K, unknown>,
): Line<K>[] {
  const lines: Line<K>[] = [];
  const open = new Map<Server, Line<K>>();
  let line: Line<K> | undefined;
  for (const key of checkIterable(keys)) {
    const wireKey = dispatcher.key(key, options);
    const { size } = results;
    if (results.set(key, undefined).size === size) continue;
    const route = dispatcher.route(wireKey, options);
    const server = dispatcher.router.serverFor(route);
    const isAlone = dispatcher.needsBase64(wireKey);
    if (isAlone) line = undefined;
    else if (line?.server !== server) line = open.get(server);
    if (line === undefined || !line.hasRoomFor(wireKey)) {
      line = new Line(call, server, route);
      if (!isAlone) open.set(server, line);
      lines.push(line);
    }
    line.add(key, wireKey);
    if (isAlone) line = undefined;
  }
  return lines;
}

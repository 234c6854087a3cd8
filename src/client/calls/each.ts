import { type Command, Operation } from "../../operation.js";
import type { Key } from "../../protocol/key.js";
import { isSilent, type KeyRequest } from "../../protocol/request.js";
import type { Answers } from "./answers.js";
import type { Dispatcher } from "./dispatcher.js";
import { type Gathering, gather } from "./gathering.js";
import type { CallOptions } from "./options.js";

/** Calls on many keys that do the same for each, all at once. */

/** A call that makes one request for each of its keys. */
export class EachKey<K extends Key, Result, Results> {
  readonly #dispatcher: Dispatcher;
  readonly #command: Command<Result>;
  readonly #options: CallOptions | undefined;
  readonly #answers: Answers<K, Result, Results>;

  constructor(
    dispatcher: Dispatcher,
    command: Command<Result>,
    options: CallOptions | undefined,
    answers: Answers<K, NoInfer<Result>, Results>,
  ) {
    this.#dispatcher = dispatcher;
    this.#command = command;
    this.#options = options;
    this.#answers = answers;
  }

  /** Sends the requests behind those on the same keys that came before them. */
  send(requests: ReadonlyMap<K, KeyRequest>): Promise<Results> {
    const wireKeys = () => Array.from(requests.values(), ({ key }) => key);
    const { size } = requests;
    return this.#dispatcher.turns.areHeld(wireKeys)
      ? this.sendWhenMade(wireKeys(), size, requests)
      : this.#gather(size, (gathering) => this.#sendNow(requests, this.#options, gathering));
  }

  /** The same with requests that are still being made; their keys are held until they are. */
  sendWhenMade(
    wireKeys: readonly string[],
    size: number,
    making: ReadonlyMap<K, KeyRequest> | Promise<ReadonlyMap<K, KeyRequest>>,
  ): Promise<Results> {
    return this.#gather(size, (gathering) => {
      const sendNow = (requests: ReadonlyMap<K, KeyRequest>, options: CallOptions) =>
        this.#sendNow(requests, options, gathering);
      const failed = (error: unknown) => gathering.end(error);
      this.#dispatcher.wait(this.#command.name, wireKeys, making, this.#options, sendNow, failed);
    });
  }

  #gather(size: number, begin: (gathering: Gathering<Results>) => void): Promise<Results> {
    return gather(this.#command.name, size, this.#answers.results, begin);
  }

  #sendNow(
    requests: ReadonlyMap<K, KeyRequest>,
    options: CallOptions | undefined,
    gathering: Gathering<Results>,
  ): void {
    const dispatcher = this.#dispatcher;
    const command = this.#command;
    const answers = this.#answers;
    const deadline = dispatcher.deadline(options);
    for (const [key, request] of requests) {
      const route = dispatcher.route(request.key, options);
      const server = dispatcher.router.serverFor(route);
      const operation = new Operation(
        command,
        dispatcher.sendable(request),
        route,
        dispatcher.codec,
        deadline,
        (result: Result) => {
          answers.take(key, result);
          gathering.done();
        },
        (error) => {
          answers.take(key, undefined);
          gathering.fail(server.name, error);
        },
      );
      operation.quiet = requests.size > 1 && !isSilent(request);
      dispatcher.start(operation, dispatcher.executor, options?.signal);
    }
  }
}

/** A call for each key, still to be made. */
export type Calls<K, Result> = ReadonlyMap<K, () => Promise<Result>>;

/** The same call for each of some keys. */
export function callsOf<K, Result>(
  keys: Iterable<K>,
  act: (key: K) => Promise<Result>,
): Calls<K, Result> {
  return new Map(Array.from(keys, (key) => [key, () => act(key)]));
}

/**
 * Makes all calls.
 * @param home - names the server of a key whose error names none
 * @throws KeyError for a key that has no home, before any call is made
 */
export async function eachCall<K extends Key, Result, Results>(
  name: string,
  calls: Calls<K, Result>,
  answers: Answers<K, NoInfer<Result>, Results>,
  home: (key: K) => string,
): Promise<Results> {
  const homes = new Map(Array.from(calls.keys(), (key) => [key, home(key)]));
  return gather(name, calls.size, answers.results, (gathering) => {
    for (const [key, call] of calls) {
      call().then(
        (result) => {
          answers.take(key, result);
          gathering.done();
        },
        (error) => {
          answers.take(key, undefined);
          gathering.fail(homes.get(key)!, error);
        },
      );
    }
  });
}

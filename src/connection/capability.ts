import { NotSupportedError } from "../errors.js";
import { type Executor, Operation } from "../operation.js";
import type { Reply } from "../protocol/reply.js";
import { type Request, VERSION_REQUEST } from "../protocol/request.js";
import { shorten } from "../util/show.js";

/** A flag of a meta command that not every memcached with meta commands has. */
interface Need {
  readonly flag: string;
  /** The release that brought it. */
  readonly since: Release;
}

type Release = readonly [major: number, minor: number, patch: number];

const SET_EXTRAS: Release = [1, 6, 20];
const SET_CAS: Release = [1, 6, 27];
const UNLESS_CAS: Release = [1, 6, 40];

/** What a request needs of the server's release, or undefined where any will do. */
function needOf(request: Request): Need | undefined {
  if (request.verb === "admin" || request.meta === undefined) return undefined;
  if (request.verb === "get" && request.meta.unlessCas !== undefined) {
    return { flag: "unlessCas", since: UNLESS_CAS };
  }
  if (request.meta.setCas !== undefined) return { flag: "setCas", since: SET_CAS };
  if (request.verb === "delete" && request.meta.dropValue) {
    return { flag: "dropValue", since: SET_CAS };
  }
  if (request.verb !== "set") return undefined;
  if (request.meta.vivify !== undefined) return { flag: "vivify", since: SET_EXTRAS };
  return request.meta.returnSize ? { flag: "returnSize", since: SET_EXTRAS } : undefined;
}

/** A connection that counts its sockets: behind another one may be another server. */
export interface Countable extends Executor {
  readonly sockets: number;
}

/**
 * Asks a server for its version before the first request that needs a certain one, once
 * for each socket: an older server refuses some flags and overlooks others, so that its
 * answer alone does not tell.
 */
export class Capabilities implements Executor {
  readonly #connection: Countable;
  readonly #server: string;
  #version = "";
  /** The connection's count of sockets when `#version` was asked for. */
  #socket = 0;

  constructor(connection: Countable, server: string) {
    this.#connection = connection;
    this.#server = server;
  }

  execute(operation: Operation): void {
    const need = needOf(operation.request);
    if (need === undefined) this.#connection.execute(operation);
    else if (this.#socket === this.#connection.sockets && this.#version !== "")
      this.#judge(operation, need);
    else this.#ask(operation, need);
  }

  #ask(operation: Operation, need: Need): void {
    const learn = (version: string) => {
      this.#version = version;
      this.#socket = this.#connection.sockets;
      this.#judge(operation, need);
    };
    this.#connection.execute(
      new Operation(
        { name: "version", idempotent: true, read: versionOf },
        VERSION_REQUEST,
        "",
        operation.codec,
        operation.deadline,
        learn,
        (error) => operation.fail(error),
      ),
    );
  }

  #judge(operation: Operation, { flag, since }: Need): void {
    if (!isBefore(this.#version, since)) {
      this.#connection.execute(operation);
      return;
    }
    operation.fail(
      new NotSupportedError(
        `${this.#server} has the version ${shorten(this.#version, 40)}; ${flag} needs memcached ${since.join(".")}`,
        { ...operation.details, server: this.#server },
      ),
    );
  }
}

function versionOf(reply: Reply): string {
  return reply.kind === "text" ? reply.text : "";
}

/** A version in a form of its own is not before anything; the server will say what it lacks. */
function isBefore(version: string, release: Release): boolean {
  const numbers = /^(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number);
  if (numbers === undefined) return false;
  const at = release.findIndex((number, i) => number !== numbers[i]);
  return at >= 0 && numbers[at]! < release[at]!;
}

import { NotSupportedError } from "../errors.js";
import { type Executor, Operation } from "../operation.js";
import type { Reply } from "../protocol/reply.js";
import { type Request, VERSION_REQUEST } from "../protocol/request.js";
import { shorten } from "../util/show.js";
import { Failure } from "./failure.js";

/** What not every memcached with meta commands has, and the 1.6 release that brought it. */
type Need = readonly [what: string, since: number];

/** Since when `ms` is what it is; Dragonfly's version is `1.6.0 DF`, and its `ms` is that of 1.6.10. */
const META_SET = 10;

/**
 * What a request needs of the server's release, or undefined where its own answer tells as much.
 * That of a server that does not know `ms` comes too late: it takes the value for commands.
 */
function needOf(request: Request, isBinary: boolean): Need | undefined {
  if (request.verb === "admin" || request.meta === undefined) return undefined;
  if (request.verb === "get" && request.meta.unlessCas !== undefined) return ["unlessCas", 40];
  if (request.meta.setCas !== undefined) return ["setCas", 27];
  if (request.verb === "delete" && request.meta.dropValue) return ["dropValue", 27];
  if (request.verb !== "set") return undefined;
  if (request.meta.vivify !== undefined) return ["vivify", 20];
  if (request.meta.returnSize) return ["returnSize", 20];
  if (isBinary) return undefined;
  return [request.meta.base64Key ? "a key in base64" : "metaSet", META_SET];
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
  /**
   * Who carries out what has no flags of meta commands: the connection, but as long as the version
   * is not known nothing overtakes what waits for it.
   */
  way: Executor;
  readonly #connection: Countable;
  readonly #server: string;
  readonly #isBinary: boolean;
  #version = "";
  /** The connection's count of sockets when `#version` was asked for. */
  #socket = 0;
  /** Questions that are not answered yet. */
  #asked = 0;

  constructor(connection: Countable, server: string, isBinary: boolean) {
    this.way = connection;
    this.#connection = connection;
    this.#server = server;
    this.#isBinary = isBinary;
  }

  execute(operation: Operation): void {
    const { request } = operation;
    const need = needOf(request, this.#isBinary);
    const isKnown = this.#socket === this.#connection.sockets && this.#version !== "";
    const waits = this.#asked > 0 || (need !== undefined && !isKnown);
    if (waits && request !== VERSION_REQUEST) this.#ask(operation, need);
    else this.#judge(operation, need);
  }

  /** Each has a `version` of its own, so that it keeps its own deadline. */
  #ask(operation: Operation, need: Need | undefined): void {
    this.#asked++;
    this.way = this;
    const answered = () => {
      if (--this.#asked === 0) this.way = this.#connection;
    };
    const { command, codec, deadline } = operation;
    this.#connection.execute(
      new Operation(
        { name: command.name, idempotent: true, read: versionOf },
        VERSION_REQUEST,
        "",
        codec,
        deadline,
        (version: string) => {
          answered();
          this.#version = version;
          this.#socket = this.#connection.sockets;
          if (!operation.settled) this.#judge(operation, need);
        },
        (error) => {
          answered();
          operation.fail(Failure.of(error, this.#server).for(operation));
        },
      ),
    );
  }

  #judge(operation: Operation, need: Need | undefined): void {
    const mayHarm = operation.request.verb === "set" && !this.#isBinary;
    if (need === undefined || !isBefore(this.#version, need[1], mayHarm)) {
      this.#connection.execute(operation);
      return;
    }
    const [what, since] = need;
    operation.fail(
      new NotSupportedError(
        `${this.#server} has the version ${shorten(this.#version, 40)}; ${what} needs memcached 1.6.${since}`,
        { ...operation.details, server: this.#server },
      ),
    );
  }
}

function versionOf(reply: Reply): string {
  return reply.kind === "text" ? reply.text : "";
}

/** A version that is no memcached's is believed, and the server will say what it lacks, unless that may harm. */
function isBefore(version: string, since: number, mayHarm: boolean): boolean {
  const [, major, minor, patch] = /^(\d+)\.(\d+)\.(\d+)/.exec(version) ?? [];
  if (major !== "1") return mayHarm;
  if (since === META_SET && version.endsWith(" DF")) return false;
  return Number(minor) * 1e3 + Number(patch) < 6e3 + since;
}

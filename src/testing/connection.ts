import type { Socket } from "node:net";
import { readerFor } from "./conversation.js";
import type { Asked, FaultAction } from "./fault/fault.js";
import { withKey, withLength, withOpaque } from "./fault/reply.js";
import type { FaultScript } from "./fault/script.js";
import type { Log } from "./log.js";
import { endSocket, Outbox } from "./outbox.js";
import type { Reader, Session, Tap } from "./session.js";

/** What a connection shares with the others of its server. */
export interface Host {
  readonly faults: FaultScript;
  readonly log: Log;
  /** Refuses new connections for `ms` milliseconds. */
  refuse(ms: number): void;
  /** Resets everybody, and comes back empty. */
  restart(ms: number): void;
}

/** A session on a socket: what comes in is read, and each piece's answers go out in one write. */
export class Connection implements Tap {
  readonly session: Session;
  /** Resolves when the connection has ended. */
  readonly gone: Promise<void>;
  readonly #socket: Socket;
  readonly #reader: Reader;
  readonly #host: Host;
  readonly #outbox: Outbox;
  #actions: readonly FaultAction[] = [];
  /** An answer that waits for the next one to overtake it. */
  #overtaken = "";
  /** Nothing is read any more. */
  #deaf = false;
  #paused = false;

  constructor(socket: Socket, session: Session, host: Host) {
    const { totals } = session.instance.counters;
    this.session = session;
    this.#socket = socket;
    this.#host = host;
    this.#reader = readerFor(session);
    this.#outbox = new Outbox(socket, (bytes) => {
      totals.bytes_written += bytes;
    });
    session.deliver = (bytes) => this.#outbox.send(bytes);
    session.backlog = () => socket.writableLength;
    socket.on("data", (chunk) => this.#receive(chunk));
    socket.on("drain", () => this.#listen());
    socket.on("error", () => socket.destroy());
    this.gone = new Promise((resolve) => {
      socket.once("close", () => {
        this.#outbox.discard();
        session.onEnd?.();
        resolve();
      });
    });
    this.listenIn();
    if (session.tap !== undefined) this.#connected();
  }

  /** Looks again whether each request matters to somebody. */
  listenIn(): void {
    const { faults, log } = this.#host;
    this.session.tap = faults.size > 0 || log.isListening ? this : undefined;
  }

  begin(command: string, keys: readonly string[]): boolean {
    this.#actions = this.#suffer(command, keys);
    return !this.#actions.some(replacesAnswer);
  }

  end(): void {
    const { session } = this;
    let reply = session.reply;
    session.reply = "";
    const actions = this.#actions;
    this.#actions = [];
    for (const action of actions) reply = spoil(action, reply);
    if (actions.some(({ kind }) => kind === "swap")) {
      this.#overtaken += reply;
      return;
    }
    for (const action of actions) this.#hold(action);
    this.#hand(actions, reply);
    this.#outbox.send(this.#overtaken);
    this.#overtaken = "";
    for (const action of actions) this.#conclude(action);
  }

  /** Neither reads nor answers until {@link resume}. */
  pause(): void {
    this.#paused = true;
    this.#socket.pause();
    this.#outbox.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#outbox.resume();
    this.#listen();
  }

  /** Ends the connection at once, with RST or FIN. */
  destroy(how: "close" | "reset"): void {
    this.#outbox.discard();
    if (how === "reset") endSocket(this.#socket, "reset");
    else this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    const { session } = this;
    const { instance } = session;
    this.#host.log.receive(session.id, chunk);
    instance.watch.client = session.id;
    instance.counters.totals.bytes_read += chunk.length;
    session.lastCommand = instance.clock.now();
    session.idle = false;
    const before = session.requests;
    this.#reader.push(chunk);
    session.idle = true;
    this.#countYields(session.requests - before);
    const { reply } = session;
    session.reply = "";
    this.#outbox.send(reply);
    if (session.closing) this.#outbox.end("close");
  }

  /** Counts how often memcached would have let others go first. */
  #countYields(requests: number): void {
    const { settings, counters } = this.session.instance;
    if (requests <= settings.requestsPerEvent) return;
    counters.totals.conn_yields += Math.floor((requests - 1) / settings.requestsPerEvent);
  }

  /** A new connection is a request too, whose answer is nothing. */
  #connected(): void {
    this.begin("connect", []);
    this.end();
  }

  #suffer(command: string, keys: readonly string[]): FaultAction[] {
    const { faults, log } = this.#host;
    const { id, since, instance } = this.session;
    const asked: Asked = { connection: id, command, keys, age: instance.clock.now() - since };
    log.note(asked);
    return faults.strike(asked);
  }

  /** What happens before the answer goes out. */
  #hold(action: FaultAction): void {
    if (action.kind === "delay") this.#outbox.wait(action.ms);
  }

  /** Sends the answer, whole or cut or in drops. */
  #hand(actions: readonly FaultAction[], reply: string): void {
    const cut = actions.find((action) => action.kind === "cut");
    const bytes = cut === undefined ? reply : reply.slice(0, cut.bytes);
    const trickle = actions.find((action) => action.kind === "trickle");
    if (trickle === undefined) {
      this.#outbox.send(bytes);
      return;
    }
    for (let at = 0; at < bytes.length; at += trickle.bytes) {
      if (at > 0) this.#outbox.wait(trickle.ms);
      this.#outbox.send(bytes.slice(at, at + trickle.bytes));
    }
  }

  /** What happens after the answer. */
  #conclude(action: FaultAction): void {
    switch (action.kind) {
      case "cut":
        this.#outbox.end(action.ending);
        break;
      case "close":
      case "reset":
        this.#outbox.end(action.kind);
        break;
      case "stall":
        this.#outbox.end("hang");
        break;
      case "deaf":
        this.#deaf = true;
        this.#socket.pause();
        break;
      case "deauthenticate":
        this.session.authenticated = false;
        break;
      case "refuse":
        this.#host.refuse(action.ms);
        break;
      case "restart":
        this.#host.restart(action.ms);
        break;
    }
  }

  #listen(): void {
    if (!this.#deaf && !this.#paused) this.#socket.resume();
  }
}

/** Whether a request that suffers this is not carried out. */
function replacesAnswer(action: FaultAction): boolean {
  switch (action.kind) {
    case "answer":
      return action.execute !== true;
    case "close":
    case "reset":
    case "stall":
      return true;
    default:
      return false;
  }
}

/** The answer as a fault leaves it. */
function spoil(action: FaultAction, reply: string): string {
  switch (action.kind) {
    case "answer":
      return action.bytes;
    case "silence":
      return "";
    case "key":
      return withKey(reply, action.key);
    case "opaque":
      return withOpaque(reply, action.opaque);
    case "length":
      return withLength(reply, action.length);
    case "unterminated":
      return reply.slice(0, -2);
    case "repeat":
      return reply + reply;
    case "before":
      return action.bytes + reply;
    case "after":
      return reply + action.bytes;
    default:
      return reply;
  }
}

import type { Socket } from "node:net";
import type { Dialer } from "../connection/dial.js";
import { handshakeWordsOf } from "../connection/failure.js";
import { ConnectError, type MemcachedError, ProtocolError, TimeoutError } from "../errors.js";
import { type Reply, STORED } from "../protocol/reply.js";
import type { Request } from "../protocol/request.js";
import { latin1 } from "../util/bytes.js";
import { countdown } from "../util/countdown.js";
import { quote } from "../util/show.js";
import { answerLength } from "./clusterlist.js";

/** An answer has this many characters at most; a cluster's list has a hundredth of it. */
const MAX_ANSWER = 256 * 1024;

/** Who waits for the socket to open, or for an answer. */
interface Waiter {
  resolve(answer: string): void;
  reject(error: unknown): void;
}

/**
 * A short talk with a discovery endpoint over a socket of its own: one line at a time, and
 * its answer. It has a deadline as a whole, and does not keep the process alive.
 */
export class Conversation {
  /** The endpoint's name. */
  readonly #server: string;
  readonly #dialer: Dialer;
  #socket: Socket;
  #isOver = false;
  readonly #stop: () => void;
  readonly #ended: AbortSignal;
  #text = "";
  #waiter: Waiter | undefined = undefined;
  #failure: MemcachedError | undefined = undefined;
  /** Hears of it as well. */
  #giveUp: (error: unknown) => void = () => {};

  private constructor(dialer: Dialer, server: string, timeoutMs: number, ended: AbortSignal) {
    this.#server = server;
    this.#ended = ended;
    this.#dialer = dialer;
    this.#socket = this.#dial();
    this.#stop = countdown(timeoutMs, () => this.#fail(this.#late(timeoutMs)), false);
    ended.addEventListener("abort", this.#abort);
  }

  /**
   * Opens a socket, over TLS where the dialer has it.
   * @param ended - ends the conversation, whatever it is at
   * @throws ConnectError, TimeoutError
   */
  static async open(
    dialer: Dialer,
    server: string,
    timeoutMs: number,
    ended: AbortSignal,
  ): Promise<Conversation> {
    const conversation = new Conversation(dialer, server, timeoutMs, ended);
    try {
      await conversation.#answer();
      return conversation;
    } catch (error) {
      conversation.end();
      throw error;
    }
  }

  /**
   * Says a line, and returns what is answered to it, as it came.
   * @throws ConnectError if the endpoint hangs up, TimeoutError, ProtocolError for an answer
   * that has no end
   */
  say(line: string): Promise<string> {
    this.#socket.write(`${line}\r\n`, "latin1");
    return this.#answer();
  }

  /** Waits for what takes its time elsewhere, such as credentials, as long as the conversation may last. */
  during(step: Promise<void>): Promise<void> {
    return Promise.race([step, new Promise<never>((_, reject) => (this.#giveUp = reject))]);
  }

  /** Carries out the one request that the text protocol's authentication consists of. */
  async authenticate(request: Request): Promise<Reply> {
    if (request.verb !== "set") throw new ProtocolError("The text protocol has no SASL");
    const { key, flags, exptime } = request;
    const data = Buffer.from(request.data);
    const header = `set ${key} ${flags} ${exptime} ${data.length}`;
    const answer = await this.say(`${header}\r\n${data.toString("latin1")}`);
    if (answer === "STORED\r\n") return STORED;
    throw new ProtocolError(`it answered ${quote(answer.trimEnd(), 60)}`);
  }

  end(): void {
    this.#isOver = true;
    this.#stop();
    this.#ended.removeEventListener("abort", this.#abort);
    this.#socket.destroy();
  }

  #dial(): Socket {
    const socket = this.#dialer.dial(
      { room: undefined, receive: (chunk, length) => this.#hear(latin1(chunk, 0, length)) },
      () => this.#settle(""),
    );
    const over = (cause?: Error) => {
      if (socket !== this.#socket) return;
      if (this.#dialer.isInDoubt && !this.#isOver) this.#socket = this.#dial();
      else this.#lost(handshakeWordsOf(cause), cause);
    };
    return socket.on("error", over).once("close", () => over());
  }

  #answer(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
      if (this.#failure !== undefined) this.#fail(this.#failure);
    });
  }

  #hear(text: string): void {
    this.#text += text;
    const length = answerLength(this.#text);
    if (Math.max(length ?? 0, this.#text.length) > MAX_ANSWER) {
      const server = this.#server;
      this.#fail(new ProtocolError(`${server} sends over ${MAX_ANSWER} bytes`, { server }));
    } else if (length !== undefined && this.#text.length >= length) {
      const answer = this.#text.slice(0, length);
      this.#text = this.#text.slice(length);
      this.#settle(answer);
    }
  }

  #settle(answer: string): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.resolve(answer);
  }

  #fail(error: MemcachedError): void {
    this.#failure ??= error;
    this.#waiter?.reject(this.#failure);
    this.#waiter = undefined;
    this.#giveUp(this.#failure);
  }

  #abort = (): void => this.#lost("nobody wants to know any more");

  #lost(why: string, cause?: Error): void {
    const server = this.#server;
    this.#fail(
      new ConnectError(`The discovery endpoint ${server} cannot be asked: ${why}`, {
        server,
        cause,
      }),
    );
  }

  #late(timeoutMs: number): TimeoutError {
    const server = this.#server;
    const message = `The discovery endpoint ${server} did not answer within ${timeoutMs} ms`;
    return new TimeoutError(message, { server });
  }
}

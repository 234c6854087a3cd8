import type { Socket } from "node:net";
import { Fifo } from "../util/fifo.js";
import { timers } from "../util/timers.js";
import type { Ending } from "./fault/fault.js";

/** One thing to do on the way out. */
type Step =
  | { readonly kind: "send"; readonly bytes: string }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "end"; readonly how: Ending };

/**
 * What goes out to one client, in order. Without a fault everything goes at once; a
 * delay holds back what comes after it.
 */
export class Outbox {
  readonly #socket: Socket;
  readonly #onSent: (bytes: number) => void;
  readonly #steps = new Fifo<Step>();
  #timer: NodeJS.Timeout | undefined;
  /** Nothing goes out any more. */
  #over = false;
  #paused = false;

  constructor(socket: Socket, onSent: (bytes: number) => void) {
    this.#socket = socket;
    this.#onSent = onSent;
  }

  send(bytes: string): void {
    if (bytes !== "") this.#push({ kind: "send", bytes });
  }

  wait(ms: number): void {
    this.#push({ kind: "wait", ms });
  }

  end(how: Ending): void {
    this.#push({ kind: "end", how });
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#run();
  }

  /** Forgets what has not gone out. */
  discard(): void {
    this.#over = true;
    timers.clearTimeout(this.#timer);
    this.#steps.drain();
  }

  #push(step: Step): void {
    if (this.#over) return;
    this.#steps.push(step);
    this.#run();
  }

  #run(): void {
    while (this.#timer === undefined && !this.#paused && !this.#over) {
      const step = this.#steps.shift();
      if (step === undefined) return;
      this.#do(step);
    }
  }

  #do(step: Step): void {
    switch (step.kind) {
      case "send":
        this.#onSent(step.bytes.length);
        if (!this.#socket.write(step.bytes, "latin1")) this.#socket.pause();
        break;
      case "wait":
        this.#timer = timers.setTimeout(() => {
          this.#timer = undefined;
          this.#run();
        }, step.ms);
        break;
      case "end":
        this.discard();
        endSocket(this.#socket, step.how);
        break;
    }
  }
}

/** Ends a connection in one of three ways. */
export function endSocket(socket: Socket, how: Ending): void {
  if (how === "close") socket.end(() => socket.destroy());
  else if (how === "reset") reset(socket);
}

/** Only a plain TCP connection can be reset; others are cut off. */
function reset(socket: Socket): void {
  const isTcp = socket.remoteFamily !== undefined && !("encrypted" in socket);
  if (isTcp) socket.resetAndDestroy();
  else socket.destroy();
}

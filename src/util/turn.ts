import { timers } from "./timers.js";

/** As they were at the beginning: a fake clock that is put in their place is not meant for sockets. */
const later = timers.setImmediate;
const next = queueMicrotask;

/**
 * Calls back after everything that is ready in this turn of the event loop was handled:
 * what each of many sockets causes, such as the requests of a web server, is then done at once.
 */
export function atEndOfTurn(callback: () => void): void {
  later(callback);
}

/** Calls back when what runs now, and the microtasks before, are done. */
export function afterThis(callback: () => void): void {
  next(callback);
}

/** As it was at the beginning: whoever puts a fake clock in its place does not mean sockets. */
const later = setImmediate;

/**
 * Calls back after everything that is ready in this turn of the event loop was handled:
 * what each of many sockets causes, such as the requests of a web server, is then done at once.
 */
export function atEndOfTurn(callback: () => void): void {
  later(callback);
}

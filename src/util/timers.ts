/** Those of Node's timers that programs know as globals. */
type Timers = Pick<
  typeof globalThis,
  "setTimeout" | "clearTimeout" | "setInterval" | "clearInterval" | "setImmediate"
>;

/**
 * Node's timers: the globals, looked up at each call, so that a test's fake clock counts. A test
 * environment that plays a browser (jsdom in Jest) has others, which can hold a process alive
 * and lack `setImmediate`; there they are taken from Node itself.
 */
export const timers: Timers =
  typeof setImmediate === "function" ? globalThis : process.getBuiltinModule("node:timers");

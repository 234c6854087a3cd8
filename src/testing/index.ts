export { Clock } from "./clock.js";
export type { Asked, Ending, Fault, FaultAction, FaultMatch } from "./fault/fault.js";
export { FaultScript } from "./fault/script.js";
export { Log, type LogLevel } from "./log.js";
export type { Compat } from "./release.js";
export { MemcachedServer, type MemcachedServerOptions } from "./server.js";
export type { Credentials, ServerOptions, ServerTls } from "./settings.js";

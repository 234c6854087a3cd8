export { Clock } from "./clock.js";
export type { Compat } from "./release.js";
export { MemcachedServer, type MemcachedServerOptions } from "./server.js";
export type { Credentials, ServerOptions, ServerTls } from "./settings.js";

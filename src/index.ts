export { Client } from "./client/client.js";
export * from "./errors.js";

import { cpus, loadavg, release, type } from "node:os";
import { output } from "../subjects.js";
import type { Machine } from "./result.js";

/** What the figures were measured on. */
export function machine(loadBefore: number): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    system: `${type()} ${release()}`,
    node: process.versions.node,
    memcached: output("memcached", ["-V"])?.replace("memcached ", "") ?? "unknown",
    load: [loadBefore, loadavg()[0] ?? 0],
  };
}

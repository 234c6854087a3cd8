import type { MemcachedError } from "../errors.js";
import type { MigrationProgress } from "./progress.js";

/** What a migration tells those who listen. */
export interface MigrationEvents {
  /** How far it has come, every `progressIntervalMs`. */
  progress: MigrationProgress;
  /** A step failed in the cluster that its call did not depend on. */
  failure: {
    readonly cluster: "old" | "new";
    readonly command: string;
    readonly error: MemcachedError;
  };
}

/** Moving from one cluster to another. */

export type { MigrationEvents } from "./events.js";
export { Migration } from "./migration.js";
export type { MigrationOptions, MigrationReads, MigrationStrictness } from "./options.js";
export type { MigrationProgress, MigrationShares } from "./progress.js";
export type { MigrationClients, Transition } from "./transition.js";

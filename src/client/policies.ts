import type { Address } from "../connection/address.js";
import { OptionError } from "../errors.js";
import type { Executor } from "../operation.js";
import { Detour, nextAlive, survivor } from "../routing/detour.js";
import { Failover } from "../routing/failover.js";
import { Gutter } from "../routing/gutter.js";
import type { Router } from "../routing/router.js";
import { checkInteger, checkOptions, show } from "./check.js";
import { parseServers, type Servers } from "./servers.js";

/** What becomes of operations whose server fails. */
export interface PolicyOptions {
  /**
   * Where keys go while their server is dead:
   *
   * - `"rehash"`: where the ring has them without it, as `auto_eject` says too. On a
   *   consistent distribution no other key moves; `"modula"` has no place for them
   * - `"next"`: to the next server in the list, on any distribution
   * - a {@link GutterOptions}: to servers that are there for this alone
   *
   * Without it they fail at once, as long as the server is dead.
   */
  readonly failover?: "rehash" | "next" | GutterOptions | undefined;
}

/** Servers that stand in for dead ones. */
export interface GutterOptions {
  readonly servers: Servers;
  /**
   * Seconds that an item lives there at most, since nobody tells them what becomes of it
   * once its own server is back.
   * @defaultValue 60
   */
  readonly ttl?: number | undefined;
}

export const POLICY_OPTIONS: readonly (keyof PolicyOptions)[] = ["failover"];

const GUTTER_OPTIONS: ReadonlySet<string> = new Set(["servers", "ttl"]);

const DEFAULT_GUTTER_TTL = 60;

const MAX_GUTTER_TTL = 24 * 60 * 60;

/** The policies of a client, checked. */
export interface Policies {
  readonly failover:
    | "rehash"
    | "next"
    | { readonly addresses: readonly Address[]; readonly ttl: number }
    | undefined;
}

/** @throws OptionError, ArgumentError */
export function policiesOf(options: PolicyOptions): Policies {
  return { failover: failoverOf(options.failover) };
}

function failoverOf(failover: PolicyOptions["failover"]): Policies["failover"] {
  if (failover === undefined || failover === "rehash" || failover === "next") return failover;
  if (typeof failover !== "object" || failover === null) {
    throw new OptionError(
      `failover must be "rehash", "next" or an object with servers, not ${show(failover)}`,
    );
  }
  checkOptions(failover, GUTTER_OPTIONS, "failover");
  const { servers, ttl = DEFAULT_GUTTER_TTL } = failover;
  return {
    addresses: parseServers(servers),
    ttl: checkInteger(ttl, "failover.ttl", 1, MAX_GUTTER_TTL),
  };
}

/** The router with the policies around it: without any, the router itself. */
export function arrange(
  router: Router,
  gutter: Router | undefined,
  { failover }: Policies,
): Executor {
  if (failover === undefined) return router;
  if (failover === "rehash")
    return new Failover(router, new Detour(survivor(router), undefined), undefined);
  if (failover === "next")
    return new Failover(router, new Detour(nextAlive(router), undefined), undefined);
  return gutter === undefined
    ? router
    : new Failover(router, new Gutter(gutter, failover.ttl), undefined);
}

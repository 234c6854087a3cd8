import type { Address } from "../../connection/address.js";
import { type MemcachedError, OptionError } from "../../errors.js";
import type { Executor, Operation, Rescuer } from "../../operation.js";
import { Detour, nextAlive, survivor } from "../../routing/detour.js";
import { Failover } from "../../routing/failover.js";
import { Gutter } from "../../routing/gutter.js";
import { Leniency } from "../../routing/leniency.js";
import type { RejoinOptions } from "../../routing/rejoin.js";
import { type Reading, Replicas } from "../../routing/replicas.js";
import type { Router } from "../../routing/router.js";
import { checkChoice, checkInteger, checkOptions } from "../../util/check.js";
import { type NamesOf, namesOf } from "../../util/names.js";
import { parseServers, type Servers } from "../servers/servers.js";
import { type ClientOfUrl, checkUrl } from "../servers/url.js";
import { warnOnce } from "../warning.js";
import {
  COPY_READ_OPTIONS,
  type CopyReading,
  type CopyReadOptions,
  copyReadingOf,
} from "./copyreading.js";

/** What becomes of operations whose server fails. */
export interface PolicyOptions extends CopyReadOptions {
  /**
   * Where keys go while their server is dead:
   *
   * - `"rehash"`: where the ring has them without it, as `auto_eject` says too. On a
   *   consistent distribution no other key moves; `"modula"`, the default, has no place for
   *   them, and a warning says so
   * - `"next"`: to the next server in the list, on any distribution
   * - a {@link GutterOptions}: to servers that are there for this alone
   *
   * Without it they fail at once, as long as the server is dead.
   */
  readonly failover?: "rehash" | "next" | GutterOptions | undefined;
  /**
   * Milliseconds from a dead server's first answer until it has all of its keys again,
   * where `failover` moved them: it begins with a tenth and gets the others one after the
   * other. A failure meanwhile makes it dead again. 0 gives it all of them at once.
   * @defaultValue 3000
   */
  readonly rampUpMs?: number | undefined;
  /**
   * What becomes of the values that a server still has from before an outage, while others
   * may have changed, before it gets keys again:
   *
   * - `"keep"`: they are read again
   * - `"flush"`: all go. The server stays dead until `flush_all` was answered
   * - `"delete"`: those go whose changes failed there, or went elsewhere. A `noreply` call
   *   does not learn that it failed
   *
   * @defaultValue "keep"
   */
  readonly rejoin?: "keep" | "flush" | "delete" | undefined;
  /**
   * How many keys are remembered for each server with `rejoin: "delete"`; a server that
   * missed more changes is flushed.
   * @defaultValue 10000
   */
  readonly maxRemembered?: number | undefined;
  /**
   * What becomes of a call that fails because of the servers: it rejects, or a read is a
   * miss and a value is not stored, which the event `masked` tells. Deleting, counting
   * and calls to all servers always reject.
   * @defaultValue "throw"
   */
  readonly onError?: "throw" | "miss" | undefined;
}

/** Servers that stand in for dead ones. */
export interface GutterOptions {
  /** As a client takes them; they should serve nothing else. */
  readonly servers: Servers;
  /**
   * Seconds that an item lives there at most, since nobody tells them what becomes of it
   * once its own server is back.
   * @defaultValue 60
   */
  readonly ttl?: number | undefined;
}

export const POLICY_OPTIONS: NamesOf<PolicyOptions> = {
  failover: true,
  rampUpMs: true,
  rejoin: true,
  maxRemembered: true,
  onError: true,
  ...COPY_READ_OPTIONS,
};

const DEFAULT_RAMP_UP_MS = 3000;

const MAX_RAMP_UP_MS = 60 * 60 * 1000;

const DEFAULT_REMEMBERED = 10_000;

const GUTTER_OPTIONS = namesOf<GutterOptions>({ servers: true, ttl: true });

const FAILOVERS = ["rehash", "next"] as const;

const DEFAULT_GUTTER_TTL = 60;

const MAX_GUTTER_TTL = 24 * 60 * 60;

/** The policies of a client, checked. */
export interface Policies {
  readonly failover:
    | "rehash"
    | "next"
    | { readonly addresses: readonly Address[]; readonly ttl: number }
    | undefined;
  readonly rampUpMs: number;
  readonly rejoin: RejoinOptions | undefined;
  readonly copyReading: CopyReading;
  readonly lenient: boolean;
}

/** @throws OptionError */
export function policiesOf(options: PolicyOptions & ClientOfUrl, isBinary: boolean): Policies {
  const { failover, rampUpMs = DEFAULT_RAMP_UP_MS, onError = "throw" } = options;
  return {
    failover: failoverOf(failover, options),
    rampUpMs: checkInteger(rampUpMs, "rampUpMs", 0, MAX_RAMP_UP_MS),
    rejoin: rejoinOf(options),
    copyReading: copyReadingOf(options, isBinary),
    lenient: checkChoice(onError, "onError", ["throw", "miss"]) === "miss",
  };
}

function failoverOf(
  failover: PolicyOptions["failover"],
  client: ClientOfUrl,
): Policies["failover"] {
  if (failover === undefined) return undefined;
  if (typeof failover !== "object" || failover === null) {
    return checkChoice(failover, "failover", FAILOVERS, "an object with servers");
  }
  checkOptions(failover, GUTTER_OPTIONS, "failover");
  const { servers, ttl = DEFAULT_GUTTER_TTL } = failover;
  if (servers === undefined) {
    throw new OptionError("failover needs servers, which stand in for those that are dead");
  }
  checkUrl(servers, client);
  return {
    addresses: parseServers(servers),
    ttl: checkInteger(ttl, "failover.ttl", 1, MAX_GUTTER_TTL),
  };
}

function rejoinOf(options: PolicyOptions): RejoinOptions | undefined {
  const { rejoin = "keep", maxRemembered = DEFAULT_REMEMBERED } = options;
  checkInteger(maxRemembered, "maxRemembered", 0, 2 ** 24);
  const action = checkChoice(rejoin, "rejoin", ["keep", "flush", "delete"]);
  return action === "keep" ? undefined : { action, maxRemembered };
}

/**
 * Warns of policies that can do nothing as things stand.
 * @param isFixed - whether the keys of a dead server have no other place on the ring
 */
export function warnOfIdle(
  { failover, copyReading }: Policies,
  copies: number,
  isFixed: boolean,
): void {
  if (copies > 0) return;
  if (failover === "rehash" && isFixed) {
    warnOnce(
      'failover: "rehash" (the behavior auto_eject)',
      'moves no keys on modula or virtual bucket; set the behavior ketama, or failover: "next"',
    );
  }
  const { onMiss, atRandom, hedging } = copyReading; // repairs include onMiss
  if (onMiss || atRandom || hedging !== undefined) {
    warnOnce("Reading copies (hedge, …)", "has no effect without the behavior num_replicas");
  }
}

/** What {@link arrange} puts together. */
export interface Arrangement extends Policies {
  readonly router: Router;
  readonly gutter: Router | undefined;
  /** Servers beside its own that hold a copy of each item. */
  readonly copies: number;
  readonly reading: Reading;
  readonly onMasked: (operation: Operation, error: MemcachedError) => void;
}

/** The router with the policies around it: without any, the router itself. */
export function arrange(arrangement: Arrangement): Executor {
  const leniency = arrangement.lenient ? new Leniency(arrangement.onMasked) : undefined;
  const carrier = carrierOf(arrangement, leniency);
  return leniency === undefined ? carrier : leniency.around(carrier);
}

function carrierOf(
  { router, gutter, copies, reading, failover }: Arrangement,
  next: Rescuer | undefined,
): Executor {
  if (copies > 0) return new Replicas(router, copies, reading);
  switch (failover) {
    case undefined:
      return router;
    case "rehash":
      return new Failover(router, new Detour(router, survivor(router), next), next);
    case "next":
      return new Failover(router, new Detour(router, nextAlive(router), next), next);
    default:
      return new Failover(router, new Gutter(gutter!, failover.ttl), next);
  }
}

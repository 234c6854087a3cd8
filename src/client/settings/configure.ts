import type { QueueLimits } from "../../connection/queue.js";
import { OptionError } from "../../errors.js";
import type { Key } from "../../protocol/key.js";
import type { DistributionOptions } from "../../ring/distribution.js";
import type { PlacementPreset } from "../../ring/presets.js";
import { checkDurationMs, checkFunction, checkOptions } from "../../util/check.js";
import { namesOf } from "../../util/names.js";
import { show } from "../../util/show.js";
import type { EncryptionOptions } from "../../value/encryption.js";
import { CODEC_OPTIONS, type CodecOptions, usesPickles } from "../../value/factory.js";
import type { BehaviorOptions, Behaviors } from "../behaviors/behaviors.js";
import {
  type CheckedBehaviors,
  checkBehaviors,
  checkPrefix,
  isBehavior,
} from "../behaviors/rules.js";
import { ARITHMETIC_OPTIONS, checkCompress, STORE_OPTIONS } from "../calls/options.js";
import { type ChunkLimits, type ChunkOptions, chunkLimits } from "../chunks/options.js";
import { hintFor } from "./foreign.js";
import { LIMIT_OPTIONS, type LimitOptions, limitsOf, maxConnectingOf } from "./limits.js";
import { POLICY_OPTIONS, type Policies, type PolicyOptions, policiesOf } from "./policies.js";
import {
  TRANSPORT_OPTIONS,
  type Transport,
  type TransportOptions,
  transportOf,
} from "./transport.js";

/** How a client behaves. */
export interface ClientOptions<Value = unknown>
  extends CodecOptions<Value>,
    TransportOptions,
    LimitOptions,
    PolicyOptions {
  /**
   * Milliseconds for a whole call, connecting and repeating included. They begin with the call;
   * for one key when its request is written, in the same turn of the event loop, or when it has
   * to wait for a connection. The behavior `_poll_timeout` is the same.
   * @defaultValue 1000
   */
  readonly timeoutMs?: number | undefined;
  /**
   * Milliseconds for one attempt to connect. The behavior `connect_timeout` is the same.
   * @defaultValue 1000
   */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * Milliseconds in which a server that owes replies lets no byte pass, after which its
   * connection is given up and made anew; and also how long the oldest reply may be
   * overdue.
   * @defaultValue 5000
   */
  readonly stallTimeoutMs?: number | undefined;
  /**
   * Put in front of every key. The behavior `namespace` is the same. It takes no part in
   * placement unless `_hash_with_prefix_key` says so.
   */
  readonly keyPrefix?: Key | undefined;
  /**
   * Larger values are refused before anything is sent, since a server that refuses one
   * also drops what the key held; in bytes.
   * @defaultValue 1048576, memcached's own default limit
   */
  readonly maxValueSize?: number | undefined;
  /**
   * Stores values that are too large for one item in several, and reads them back whole
   * or as a miss; `true` stands for the defaults. Only this client reads such values.
   * @defaultValue false
   */
  readonly chunk?: boolean | ChunkOptions | undefined;
  /** pylibmc's behaviors, by its names; `client.behaviors` has them as they stand. */
  readonly behaviors?: BehaviorOptions | undefined;
  /**
   * Where another client would put keys, by its name; or what some distributions need
   * beside the behaviors, such as the map of `"virtual bucket"`.
   */
  readonly placement?: PlacementPreset | DistributionOptions | undefined;
}

/** The names of all of them, to refuse all others. */
export const CLIENT_OPTIONS: ReadonlySet<string> = namesOf<ClientOptions>({
  timeoutMs: true,
  connectTimeoutMs: true,
  stallTimeoutMs: true,
  keyPrefix: true,
  maxValueSize: true,
  chunk: true,
  behaviors: true,
  placement: true,
  ...CODEC_OPTIONS,
  ...TRANSPORT_OPTIONS,
  ...LIMIT_OPTIONS,
  ...POLICY_OPTIONS,
});

const PICKLE_OPTIONS = namesOf<NonNullable<CodecOptions["pickle"]>>({
  classes: true,
  maxDepth: true,
  protocol: true,
  undefined: true,
});

const ENCRYPTION_OPTIONS = namesOf<EncryptionOptions>({ keys: true, allowPlaintext: true });

const DISTRIBUTION_OPTIONS = namesOf<DistributionOptions>({
  pointHash: true,
  buckets: true,
  chance: true,
});

const DEFAULT_STALL_TIMEOUT_MS = 5000;
const DEFAULT_MAX_VALUE_SIZE = 1024 * 1024;

/** What of a client's options never changes, checked. */
export interface FixedOptions {
  readonly transport: Transport;
  readonly policies: Policies;
  readonly stallTimeoutMs: number;
  readonly limits: QueueLimits;
  readonly maxConnecting: number;
  readonly maxValueSize: number;
  readonly chunk: ChunkLimits | undefined;
  readonly preset: PlacementPreset | undefined;
  readonly distribution: DistributionOptions;
}

/** @throws OptionError for anything but an options object, or an unknown option */
export function checkClientOptions(options: ClientOptions): void {
  checkPlaces(options);
  checkOptions(options, CLIENT_OPTIONS, "Client");
  const { compress, pickle, encryption } = options;
  checkCompress(compress);
  checkOptions(pickle, PICKLE_OPTIONS, "pickle");
  checkOptions(encryption, ENCRYPTION_OPTIONS, "encryption");
  if (pickle === undefined || usesPickles(options)) return;
  throw new OptionError("This codec or serializer has no pickles; leave out the option pickle");
}

/** A behavior's name, a call's option or another client's is not misspelt: it is in the wrong place. */
function checkPlaces(options: object): void {
  for (const name of Object.keys(options ?? {})) {
    if (CLIENT_OPTIONS.has(name)) continue;
    if (isBehavior(name)) {
      throw new OptionError(
        `${name} is one of the behaviors, which have an object of their own: { behaviors: { ${name}: … } }`,
      );
    }
    if (ARITHMETIC_OPTIONS.has(name) || STORE_OPTIONS.has(name)) {
      throw new OptionError(`${name} is an option of calls and not of the client; give it to each`);
    }
    const hint = hintFor(name);
    if (hint !== undefined) throw new OptionError(`Client has no option "${name}"; ${hint}`);
  }
}

/** @throws OptionError for an option out of its range */
export function fixedOptions(options: ClientOptions): FixedOptions {
  const {
    stallTimeoutMs = DEFAULT_STALL_TIMEOUT_MS,
    maxValueSize = DEFAULT_MAX_VALUE_SIZE,
    placement = {},
  } = options;
  const policies = policiesOf(options, options.binary === true);
  if (policies.rejoin !== undefined && options.proxy !== undefined) {
    throw new OptionError("rejoin needs flush_all, which proxies do not pass on; leave it out");
  }
  if (typeof placement !== "string") checkDistribution(placement);
  return {
    transport: transportOf(options),
    policies,
    stallTimeoutMs: checkDurationMs(stallTimeoutMs, "stallTimeoutMs"),
    limits: limitsOf(options),
    maxConnecting: maxConnectingOf(options),
    maxValueSize: checkMaxValueSize(maxValueSize),
    chunk: chunkLimits(options.chunk, maxValueSize),
    ...(typeof placement === "string"
      ? { preset: placement, distribution: {} }
      : { preset: undefined, distribution: placement }),
  };
}

/** Options that are behaviors under another name. */
const SAME = [
  ["timeoutMs", "_poll_timeout", checkDurationMs],
  ["connectTimeoutMs", "connect_timeout", checkDurationMs],
  ["keyPrefix", "namespace", checkPrefix],
] as const;

/** All of a client's options that may change later, as behaviors. */
export function behaviorsOf(options: ClientOptions): CheckedBehaviors {
  const behaviors: Record<string, unknown> = {
    ...checkBehaviors(options.behaviors === undefined ? {} : options.behaviors),
  };
  for (const [option, behavior, check] of SAME) {
    const value = options[option];
    if (value === undefined) continue;
    if (behaviors[behavior] !== undefined) {
      throw new OptionError(
        `The option ${option} and the behavior ${behavior} are the same; give one of them`,
      );
    }
    behaviors[behavior] = check(value, option);
  }
  return behaviors;
}

/** The options about values, with the protocol that a behavior chose for pickles. */
export function codecOptions(
  options: ClientOptions,
  protocol: Behaviors["pickle_protocol"] | undefined,
): CodecOptions {
  if (protocol === undefined) return options;
  return { ...options, pickle: { ...options.pickle, protocol: protocol === -1 ? 5 : protocol } };
}

/** Options with these behaviors in the place of their own, and of what else sets them. */
export function withBehaviors(options: ClientOptions, behaviors: BehaviorOptions): ClientOptions {
  const same = Object.fromEntries(SAME.map(([option]) => [option, undefined]));
  return { ...options, ...same, behaviors };
}

function checkDistribution(distribution: DistributionOptions): void {
  checkOptions(distribution, DISTRIBUTION_OPTIONS, "placement");
  const { buckets, chance } = distribution;
  if (buckets !== undefined && !Array.isArray(buckets)) {
    throw new OptionError(`placement.buckets must be an array of numbers, not ${show(buckets)}`);
  }
  if (chance !== undefined) checkFunction(chance, "placement.chance");
}

function checkMaxValueSize(value: unknown): number {
  if (typeof value === "number" && value > 0) return value;
  throw new OptionError(`maxValueSize must be a number of bytes above 0, not ${show(value)}`);
}

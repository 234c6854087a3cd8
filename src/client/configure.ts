import type { Address } from "../connection/address.js";
import { OptionError } from "../errors.js";
import { encodePrefix, type Key } from "../protocol/key.js";
import { Placement, type PlacementBehaviors } from "../ring/placement.js";
import type { PlacementPreset } from "../ring/presets.js";
import { Router } from "../routing/router.js";
import { Server } from "../routing/server.js";
import type { Codec } from "../value/codec.js";
import { CODEC_OPTIONS, type CodecOptions } from "../value/factory.js";
import { checkDurationMs, checkOptions, show } from "./check.js";
import { Dispatcher } from "./dispatcher.js";
import { TRANSPORT_OPTIONS, type TransportOptions, transportOf } from "./transport.js";

/** How a client behaves. */
export interface ClientOptions<Value = unknown> extends CodecOptions<Value>, TransportOptions {
  /**
   * Milliseconds for a whole operation, from the call to the settled promise, connecting
   * and retries included.
   * @defaultValue 1000
   */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds for one attempt to connect. @defaultValue 1000 */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * Milliseconds without a byte from a server that owes replies, after which its
   * connection is given up and made anew.
   * @defaultValue 5000
   */
  readonly stallTimeoutMs?: number | undefined;
  /** Put in front of every key; pylibmc's namespace. It takes no part in placement. */
  readonly keyPrefix?: Key | undefined;
  /**
   * Larger values are refused before anything is sent, since a server that refuses one
   * also drops what the key held; in bytes.
   * @defaultValue 1048576, memcached's own default limit
   */
  readonly maxValueSize?: number | undefined;
  /** pylibmc's behaviors. */
  readonly behaviors?: PlacementBehaviors | undefined;
  /** Where another client would put keys. */
  readonly placement?: PlacementPreset | undefined;
}

const CLIENT_OPTIONS: ReadonlySet<string> = new Set([
  "timeoutMs",
  "connectTimeoutMs",
  "stallTimeoutMs",
  "keyPrefix",
  "maxValueSize",
  "behaviors",
  "placement",
  ...CODEC_OPTIONS,
  ...TRANSPORT_OPTIONS,
]);

const DEFAULT_TIMEOUT_MS = 1000;
const DEFAULT_STALL_TIMEOUT_MS = 5000;
const DEFAULT_MAX_VALUE_SIZE = 1024 * 1024;

/** Checks a client's options and builds what carries its operations. */
export function configure(
  addresses: readonly Address[],
  options: ClientOptions,
  codec: Codec,
): Dispatcher {
  checkOptions(options, CLIENT_OPTIONS, "Client");
  const timing = {
    connectTimeoutMs: duration(options, "connectTimeoutMs", DEFAULT_TIMEOUT_MS),
    stallTimeoutMs: duration(options, "stallTimeoutMs", DEFAULT_STALL_TIMEOUT_MS),
  };
  const { encodeKey, base64Keys, ...transport } = transportOf(options);
  const servers = addresses.map((address) => new Server(address, { ...timing, ...transport }));
  const placement = new Placement(
    { preset: options.placement, behaviors: options.behaviors },
    addresses,
  );
  return new Dispatcher({
    router: new Router(servers, placement),
    codec,
    encodeKey,
    base64Keys,
    prefix: encodePrefix(options.keyPrefix ?? "", encodeKey),
    routesByPrefix: false,
    timeoutMs: duration(options, "timeoutMs", DEFAULT_TIMEOUT_MS),
    maxValueSize: maxValueSize(options),
  });
}

function duration(
  options: ClientOptions,
  name: "timeoutMs" | "connectTimeoutMs" | "stallTimeoutMs",
  fallback: number,
): number {
  const value = options[name];
  return value === undefined ? fallback : checkDurationMs(value, name);
}

function maxValueSize({ maxValueSize = DEFAULT_MAX_VALUE_SIZE }: ClientOptions): number {
  if (typeof maxValueSize === "number" && maxValueSize > 0) return maxValueSize;
  throw new OptionError(
    `maxValueSize must be a number of bytes above 0, not ${show(maxValueSize)}`,
  );
}

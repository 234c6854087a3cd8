import { BinaryWire } from "../protocol/binary/wire.js";
import { type EncodeKey, encodeAnyKey, encodeKey } from "../protocol/key.js";
import { TextWire } from "../protocol/text/wire.js";
import type { Wire } from "../protocol/wire.js";
import { checkBoolean } from "./check.js";

/** How a client reaches its servers. */
export interface TransportOptions {
  /**
   * Speaks the binary protocol, as pylibmc's `binary=True`. Keys may hold any bytes then;
   * most of what the meta commands can ask for has no words there and is a
   * NotSupportedError.
   * @defaultValue false
   */
  readonly binary?: boolean | undefined;
}

export const TRANSPORT_OPTIONS: readonly (keyof TransportOptions)[] = ["binary"];

/** What the options of a transport come down to. */
export interface Transport {
  /** Makes the wire of one socket's life. */
  readonly wire: () => Wire;
  readonly encodeKey: EncodeKey;
}

/** @throws OptionError */
export function transportOf({ binary = false }: TransportOptions): Transport {
  return checkBoolean(binary, "binary")
    ? { wire: () => new BinaryWire(), encodeKey: encodeAnyKey }
    : { wire: () => new TextWire(), encodeKey };
}

import { type Key, keyText } from "../protocol/key.js";
import { checkBoolean, checkOptions } from "../util/check.js";
import { namesOf } from "../util/names.js";
import { metaGet } from "./calls/meta.js";
import { CALL, CALL_OPTIONS, type CallOptions } from "./calls/options.js";
import type { ServerInfo } from "./events.js";
import type { Settings } from "./settings/settings.js";

/** What `explain` takes. */
export interface ExplainOptions extends CallOptions {
  /** Whether the server is asked about the item. @defaultValue false */
  readonly look?: boolean | undefined;
}

/** Why a key is where it is. */
export interface KeyExplanation {
  /** The key as it is sent, with its prefixes. */
  readonly key: string;
  /** What decided, in UTF-8: the key without the client's prefix, or the group key. */
  readonly route: string;
  /** The number that it was hashed to; 0 with one server, where nothing is hashed. */
  readonly hash: number;
  /** The point of the ring that the hash belongs to; undefined for a ring without points. */
  readonly point: number | undefined;
  /** The server that it is on, whatever its health. */
  readonly server: ServerInfo;
  /** The item; undefined unless it was looked for. */
  readonly item: ItemExplanation | undefined;
}

/** What a server knows of an item. */
export type ItemExplanation =
  | { readonly exists: false }
  | {
      readonly exists: true;
      /** Seconds until it expires, -1 for never. */
      readonly ttl: number;
      /** The value's size as it is stored, in bytes. */
      readonly size: number;
      readonly flags: number;
      readonly cas: bigint;
      /** Whether it was read since it was stored. */
      readonly hit: boolean;
      /** Seconds since it was last read; if it never was, its age. */
      readonly lastAccess: number;
    };

export const EXPLAIN_OPTIONS: ReadonlySet<string> = namesOf<ExplainOptions>({
  ...CALL,
  look: true,
});

export function serverFor(settings: Settings, key: Key, options?: CallOptions): ServerInfo {
  checkOptions(options, CALL_OPTIONS, "serverFor");
  const { dispatcher } = settings;
  const route = dispatcher.route(dispatcher.key(key, options), options);
  return settings.server(dispatcher.router.locate(route));
}

export async function explain(
  settings: Settings,
  key: Key,
  options: ExplainOptions = {},
): Promise<KeyExplanation> {
  checkOptions(options, EXPLAIN_OPTIONS, "explain");
  const { look = false, ...call } = options;
  const { dispatcher, placement } = settings;
  const wireKey = dispatcher.key(key, call);
  const route = dispatcher.route(wireKey, call);
  const { hash, point, position } = placement.explain(route);
  return {
    key: keyText(wireKey),
    route: Buffer.from(route, "latin1").toString("utf8"),
    hash,
    point,
    server: settings.server(position),
    item: checkBoolean(look, "look") ? await lookAt(settings, key, call) : undefined,
  };
}

async function lookAt(settings: Settings, key: Key, call: CallOptions): Promise<ItemExplanation> {
  const item = await metaGet(settings.dispatcher, key, {
    ...call,
    value: false,
    noBump: true,
    returnTtl: true,
    returnSize: true,
    returnFlags: true,
    returnCas: true,
    returnHitBefore: true,
    returnLastAccess: true,
  });
  if (item === undefined) return { exists: false };
  const { hitBefore: hit, ttl, size, flags, cas, lastAccess } = item as Required<typeof item>;
  return { exists: true, ttl, size, flags, cas, hit, lastAccess };
}

import type { SecureContextOptions } from "node:tls";
import { OptionError } from "../errors.js";
import { checkBoolean, checkChoice, checkInteger } from "../util/check.js";
import { keysOf, type NamesOf } from "../util/names.js";
import { show } from "../util/show.js";
import type { Clock } from "./clock.js";
import { type Compat, type Release, releaseOf } from "./release.js";

/** Names and passwords that a server accepts. */
export type Credentials = Readonly<Record<string, string>>;

/** How an embedded server behaves. Everything has a default. */
export interface ServerOptions {
  /** The release to answer as. @defaultValue "newest" */
  readonly compat?: Compat | undefined;
  /** The time to live by. @defaultValue a clock of its own, running with the machine's */
  readonly clock?: Clock | undefined;
  /** `-m`: bytes for items. @defaultValue 64 MB */
  readonly memoryLimit?: number | undefined;
  /** `-I`: the largest item in bytes, its key and header included. @defaultValue 1 MB */
  readonly itemSizeMax?: number | undefined;
  /** `-M` is `false`: refuse new items when memory is full. @defaultValue true */
  readonly evict?: boolean | undefined;
  /** `-C` is `false`: items have no cas numbers. @defaultValue true */
  readonly cas?: boolean | undefined;
  /** `-c`: more connections than this are refused with an error line. @defaultValue 1024 */
  readonly maxConnections?: number | undefined;
  /** `-F` is `false`. @defaultValue true */
  readonly flushAll?: boolean | undefined;
  /** `-X` is `false`: `stats cachedump` and `metadump` are refused. @defaultValue true */
  readonly dump?: boolean | undefined;
  /** `-W` is `false`. @defaultValue true */
  readonly watch?: boolean | undefined;
  /** `-A`: the command `shutdown` closes the server. @defaultValue false */
  readonly shutdown?: boolean | undefined;
  /** `-S`: the binary protocol asks for SASL PLAIN; text is refused. */
  readonly sasl?: Credentials | undefined;
  /** `-Y`: text connections begin with a `set` of "user password". */
  readonly asciiAuth?: Credentials | undefined;
  /** `-B`: the protocol that connections speak. @defaultValue "auto", by the first byte */
  readonly protocol?: "auto" | "ascii" | "binary" | undefined;
  /** `-R`: how many requests at once count as one turn in `conn_yields`. @defaultValue 20 */
  readonly requestsPerEvent?: number | undefined;
  /** `-b`: connections that may wait to be accepted. @defaultValue 1024 */
  readonly backlog?: number | undefined;
  /** `-o idle_timeout`: seconds after which an idle connection is closed; 0 for never. @defaultValue 0 */
  readonly idleTimeout?: number | undefined;
  /** `-f`: how much larger each slab class is. @defaultValue 1.25 */
  readonly growthFactor?: number | undefined;
  /** `-n`: bytes of key, flags and value in the smallest slab class. @defaultValue 48 */
  readonly chunkSize?: number | undefined;
  /** `-D`: the character that ends a key's prefix; given, `stats detail` counts from the start. @defaultValue ":" */
  readonly prefixDelimiter?: string | undefined;
  /** `-o track_sizes`: `stats sizes` has something to show. @defaultValue false */
  readonly trackSizes?: boolean | undefined;
  /**
   * The servers of a cluster, as `host:port` or `host|ip|port`: this one answers
   * `config get cluster` (and takes `config set`), as a discovery endpoint of ElastiCache or
   * Memorystore does. Without it there is no command `config`.
   */
  readonly cluster?: readonly string[] | undefined;
  /** Certificate and key, as Node's `tls` takes them; connections speak TLS. */
  readonly tls?: ServerTls | undefined;
  /** Whether commands that only a test wants (`debugtime`) are there. @defaultValue true */
  readonly debug?: boolean | undefined;
}

/** What TLS is told: certificate and key, and every option of Node's `tls.createSecureContext`. */
export interface ServerTls extends SecureContextOptions {
  /** Ask clients for a certificate. @defaultValue false */
  readonly requestCert?: boolean;
  /** Refuse clients whose certificate cannot be verified. @defaultValue Node's */
  readonly rejectUnauthorized?: boolean;
}

/** What commands change. */
interface Tuning {
  verbosity: number;
  /** What `slabs automove`, `lru mode`, `lru tune` and `lru temp_ttl` last set; only `stats settings` shows it. */
  slabAutomove: number;
  lruSegmented: boolean;
  hotPercent: number;
  warmPercent: number;
  hotFactor: number;
  warmFactor: number;
  temporaryTtl: number;
}

/** How a server begins. */
export const INITIAL_TUNING: Readonly<Tuning> = {
  verbosity: 0,
  slabAutomove: 1,
  lruSegmented: true,
  hotPercent: 20,
  warmPercent: 40,
  hotFactor: 0.2,
  warmFactor: 2,
  temporaryTtl: -1,
};

/** The options with their defaults filled in. */
export interface Settings extends Tuning {
  readonly release: Release;
  readonly memoryLimit: number;
  readonly itemSizeMax: number;
  readonly evict: boolean;
  readonly cas: boolean;
  readonly maxConnections: number;
  readonly flushAll: boolean;
  readonly dump: boolean;
  readonly watch: boolean;
  readonly shutdown: boolean;
  readonly sasl: Credentials | undefined;
  readonly asciiAuth: Credentials | undefined;
  readonly protocol: "auto" | "ascii" | "binary";
  readonly requestsPerEvent: number;
  readonly backlog: number;
  readonly idleTimeout: number;
  readonly growthFactor: number;
  readonly chunkSize: number;
  readonly prefixDelimiter: string;
  readonly trackSizes: boolean;
  readonly tls: ServerTls | undefined;
  readonly debug: boolean;
}

const MEGABYTE = 1024 * 1024;
const MAX_INT32 = 2 ** 31 - 1;

/** Numbers by name: what they are unless given, and the least and the most that they may be. */
const NUMBERS = {
  memoryLimit: [64 * MEGABYTE, 1, Number.MAX_SAFE_INTEGER],
  itemSizeMax: [MEGABYTE, 1024, 512 * MEGABYTE],
  maxConnections: [1024, 1, MAX_INT32],
  requestsPerEvent: [20, 1, MAX_INT32],
  backlog: [1024, 1, MAX_INT32],
  idleTimeout: [0, 0, Math.floor(MAX_INT32 / 1000)],
  chunkSize: [48, 1, MAX_INT32],
} as const;

/** Switches by name, and what they are unless given. */
const SWITCHES = {
  evict: true,
  cas: true,
  flushAll: true,
  dump: true,
  watch: true,
  shutdown: false,
  trackSizes: false,
  debug: true,
} as const;

/** Every option by its name, so that others can be refused. */
export const SERVER_OPTIONS: NamesOf<ServerOptions> = {
  ...NUMBERS,
  ...SWITCHES,
  compat: true,
  clock: true,
  sasl: true,
  asciiAuth: true,
  protocol: true,
  growthFactor: true,
  prefixDelimiter: true,
  cluster: true,
  tls: true,
};

/** @throws OptionError for a value out of its range */
export function resolveSettings(options: ServerOptions): Settings {
  const { growthFactor = 1.25, protocol = "auto", prefixDelimiter = ":" } = options;
  if (!(typeof growthFactor === "number" && growthFactor > 1)) {
    throw new OptionError(`growthFactor must be greater than 1, not ${show(growthFactor)}`);
  }
  checkChoice(protocol, "protocol", ["auto", "ascii", "binary"]);
  if (typeof prefixDelimiter !== "string" || prefixDelimiter.length !== 1) {
    throw new OptionError(`prefixDelimiter must be a character, not ${show(prefixDelimiter)}`);
  }
  const number = (name: keyof typeof NUMBERS) => {
    const [initial, least, most] = NUMBERS[name];
    return checkInteger(options[name] ?? initial, name, least, most);
  };
  const flag = (name: keyof typeof SWITCHES) => checkBoolean(options[name] ?? SWITCHES[name], name);
  return {
    ...eachOf(NUMBERS, number),
    ...eachOf(SWITCHES, flag),
    release: releaseOf(options.compat ?? "newest"),
    sasl: credentials(options.sasl, "sasl"),
    asciiAuth: credentials(options.asciiAuth, "asciiAuth"),
    protocol,
    growthFactor,
    prefixDelimiter,
    tls: options.tls,
    ...INITIAL_TUNING,
  };
}

function eachOf<Name extends string, Value>(
  table: Readonly<Record<Name, unknown>>,
  make: (name: Name) => Value,
): Record<Name, Value> {
  return Object.fromEntries(keysOf(table).map((name) => [name, make(name)])) as Record<Name, Value>;
}

function credentials(given: Credentials | undefined, name: string): Credentials | undefined {
  if (given === undefined) return undefined;
  const isTable = typeof given === "object" && given !== null;
  if (isTable && Object.values(given).every((password) => typeof password === "string")) {
    return given;
  }
  throw new OptionError(`${name} must be an object of names and passwords, not ${show(given)}`);
}

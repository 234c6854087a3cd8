import type { HashName } from "../../hash/algorithms.js";
import type { LibmemcachedDistribution } from "../../ring/distribution.js";
import type { RingServer } from "../../ring/ring.js";
import { serverIn } from "../servers/serverlist.js";
import type { Word } from "../servers/word.js";

/** A configuration while it is read. */
export interface Draft {
  /** In the order in which they stand; a Unix socket is a path with port 0. */
  servers: RingServer[];
  /** By pylibmc's names, with its values and units. */
  behaviors: ConfiguredBehaviors;
  /** `--BINARY-PROTOCOL` */
  binary: boolean;
  /** `--USE-UDP` */
  udp: boolean;
  /** `--RANDOMIZE-REPLICA-READ` */
  randomReads: boolean;
  /** `--POOL-MIN=` */
  poolMin: number | undefined;
  /** `--POOL-MAX=` */
  poolMax: number | undefined;
  /** Options that are valid and have no effect here, as they are written. */
  ignored: string[];
  /** `--CONFIGURE-FILE=`: its options come after all others. */
  file: Word | undefined;
}

/** Behaviors that a configuration can set. */
export interface ConfiguredBehaviors
  extends Partial<Record<NumberBehavior, number>>,
    Partial<Record<FlagBehavior, boolean>> {
  hash?: HashName;
  distribution?: LibmemcachedDistribution;
  ketama_hash?: HashName;
  namespace?: string;
}

type NumberBehavior =
  | "connect_timeout"
  | "failure_limit"
  | "num_replicas"
  | "receive_timeout"
  | "remove_failed"
  | "retry_timeout"
  | "send_timeout"
  | "_io_bytes_watermark"
  | "_io_key_prefetch"
  | "_io_msg_watermark"
  | "_poll_timeout"
  | "_socket_recv_size"
  | "_socket_send_size";

type FlagBehavior =
  | "buffer_requests"
  | "cas"
  | "tcp_keepalive"
  | "tcp_nodelay"
  | "verify_keys"
  | "_hash_with_prefix_key"
  | "_noreply"
  | "_sort_hosts";

export function emptyDraft(): Draft {
  return {
    servers: [],
    behaviors: {},
    binary: false,
    udp: false,
    randomReads: false,
    poolMin: undefined,
    poolMax: undefined,
    ignored: [],
    file: undefined,
  };
}

/** What an option does to the draft; `value` is what stands after `=`. */
type Directive = (draft: Draft, value: Word | undefined, option: Word) => void;

/** Carries out `--NAME` or `--NAME=value`; a name may be in any case, with `_` for `-`. */
export function applyOption(draft: Draft, option: Word): void {
  const match = /^--([\w-]+)(=?)/.exec(option.text);
  if (match === null) throw option.error("is not an option; options begin with --");
  const [prefix, name, equals] = match;
  const directive = directives.get(name!.toUpperCase().replaceAll("_", "-"));
  // Without its value, which may be a password.
  if (directive === undefined) {
    throw option.slice(0, prefix.length - equals!.length).error("is an unknown option");
  }
  directive(draft, equals === "" ? undefined : option.slice(prefix.length), option);
}

const directives: ReadonlyMap<string, Directive> = new Map([
  ["SERVER", valued((draft, value) => draft.servers.push(server(value)))],
  ["SOCKET", valued((draft, value) => draft.servers.push(socket(value)))],
  ["CONFIGURE-FILE", valued((draft, value) => (draft.file = value))],

  ["HASH", once("hash", hash)],
  ["NAMESPACE", once("namespace", (value) => value.unquoted)],
  ["DISTRIBUTION", valued(setDistribution)],

  ["CONNECT-TIMEOUT", number("connect_timeout")],
  ["IO-BYTES-WATERMARK", number("_io_bytes_watermark")],
  ["IO-KEY-PREFETCH", number("_io_key_prefetch")],
  ["IO-MSG-WATERMARK", number("_io_msg_watermark")],
  ["NUMBER-OF-REPLICAS", number("num_replicas")],
  ["POLL-TIMEOUT", number("_poll_timeout")],
  ["POOL-MAX", valued((draft, value) => (draft.poolMax = wholeNumber(value)))],
  ["POOL-MIN", valued((draft, value) => (draft.poolMin = wholeNumber(value)))],
  ["RCV-TIMEOUT", number("receive_timeout")],
  ["REMOVE-FAILED-SERVERS", number("remove_failed")],
  ["RETRY-TIMEOUT", number("retry_timeout")],
  ["SERVER-FAILURE-LIMIT", number("failure_limit")],
  ["SND-TIMEOUT", number("send_timeout")],
  ["SOCKET-RECV-SIZE", number("_socket_recv_size")],
  ["SOCKET-SEND-SIZE", number("_socket_send_size")],

  ["BINARY-PROTOCOL", alone((draft) => (draft.binary = true))],
  ["BUFFER-REQUESTS", flag("buffer_requests")],
  ["HASH-WITH-NAMESPACE", flag("_hash_with_prefix_key")],
  ["NOREPLY", flag("_noreply")],
  ["RANDOMIZE-REPLICA-READ", alone((draft) => (draft.randomReads = true))],
  ["SORT-HOSTS", flag("_sort_hosts")],
  ["SUPPORT-CAS", flag("cas")],
  ["TCP-KEEPALIVE", flag("tcp_keepalive")],
  ["TCP-NODELAY", flag("tcp_nodelay")],
  ["USE-UDP", alone((draft) => (draft.udp = true))],
  ["VERIFY-KEY", flag("verify_keys")],

  ["FETCH-VERSION", alone(ignore)],
  ["TCP-KEEPIDLE", alone(ignore)],
  ["USER-DATA", alone(ignore)],
]);

function valued(apply: (draft: Draft, value: Word) => void): Directive {
  return (draft, value, option) => {
    if (value === undefined || value.text === "") throw option.error("needs a value after =");
    apply(draft, value);
  };
}

function alone(apply: (draft: Draft, option: Word) => void): Directive {
  return (draft, value, option) => {
    if (value !== undefined) throw option.error("takes no value");
    apply(draft, option);
  };
}

function number(behavior: NumberBehavior): Directive {
  return valued((draft, value) => (draft.behaviors[behavior] = wholeNumber(value)));
}

function flag(behavior: FlagBehavior): Directive {
  return alone((draft) => (draft.behaviors[behavior] = true));
}

function once<Name extends "hash" | "namespace">(
  behavior: Name,
  read: (value: Word) => NonNullable<ConfiguredBehaviors[Name]>,
): Directive {
  return valued(({ behaviors }, value) => {
    if (behaviors[behavior] !== undefined) {
      throw value.error(`is a second ${behavior}; there can be only one`);
    }
    behaviors[behavior] = read(value);
  });
}

function ignore(draft: Draft, option: Word): void {
  draft.ignored.push(option.text);
}

/** `consistent`, or `consistent,MD5`, whose hash libmemcached stores as `ketama_hash`. */
function setDistribution({ behaviors }: Draft, value: Word): void {
  const comma = value.text.indexOf(",");
  behaviors.distribution = oneOf(distributions, value.slice(0, comma < 0 ? undefined : comma));
  if (comma >= 0) behaviors.ketama_hash = hash(value.slice(comma + 1));
}

const distributions: Readonly<Record<string, LibmemcachedDistribution>> = {
  CONSISTENT: "consistent",
  MODULA: "modula",
  RANDOM: "random",
};

const hashes: Readonly<Record<string, HashName>> = {
  MD5: "md5",
  CRC: "crc",
  FNV1_64: "fnv1_64",
  FNV1A_64: "fnv1a_64",
  FNV1_32: "fnv1_32",
  FNV1A_32: "fnv1a_32",
  HSIEH: "hsieh",
  MURMUR: "murmur",
  JENKINS: "jenkins",
};

function hash(value: Word): HashName {
  return oneOf(hashes, value);
}

function oneOf<T>(table: Readonly<Record<string, T>>, value: Word): T {
  const name = value.text.toUpperCase();
  if (Object.hasOwn(table, name)) return table[name]!;
  throw value.error(`is none of ${Object.keys(table).join(", ")}`);
}

function wholeNumber(value: Word): number {
  const parsed = Number(value.text);
  if (/^\d+$/.test(value.text) && Number.isSafeInteger(parsed)) return parsed;
  throw value.error("is not a whole number");
}

/** `host`, `host:port`, `[::1]:port`, each with `/?weight` or without. */
function server(value: Word): RingServer {
  return serverIn(
    value,
    /^(?:([\w.-]+)|\[([^\]]+)\])(?::(\d+))?(?:\/\?(\d+))?$/,
    "host:port/?weight",
  );
}

/** A path, in quotes if it has blanks, with `/?weight` or without. */
function socket(value: Word): RingServer {
  const match = /^(.*?)(?:\/\?(\d+))?$/s.exec(value.text)!;
  const path = value.slice(0, match[1]!.length).unquoted;
  if (path === "") throw value.error("is not a path");
  return { host: path, port: 0, weight: Number(match[2] ?? "1") };
}

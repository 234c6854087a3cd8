import type { HashName } from "../../hash/algorithms.js";
import type { HashFunction } from "../../hash/function.js";
import type { Key } from "../../protocol/key.js";
import type { Distribution } from "../../ring/distribution.js";

/**
 * pylibmc's behaviors: its names, values and units, in its order. What each does here,
 * and where that differs from libmemcached, is in docs/behaviors.md; those that say
 * "always" here cannot be changed.
 */
export interface Behaviors {
  /** Always true: no call blocks. */
  no_block: boolean;
  /** For connections from then on; the option `socket.noDelay`. @defaultValue true */
  tcp_nodelay: boolean;
  /** For connections from then on; the option `socket.keepAlive`. @defaultValue true */
  tcp_keepalive: boolean;
  /**
   * How a key becomes a number; undefined under a placement that is not libmemcached's.
   * @defaultValue "default"
   */
  hash: HashName | HashFunction | undefined;
  /** Always `"default"`: libmemcached stores it and never uses it. */
  ketama_hash: HashName | HashFunction;
  /**
   * The distribution is one of the consistent ones; to set it chooses `"consistent ketama"`
   * or `"modula"`.
   * @defaultValue false
   */
  ketama: boolean;
  /**
   * The ring's points are by weight and MD5. To set it to true chooses `"consistent weighted"`
   * and makes the hash `"md5"`; false chooses `"consistent ketama"`, as in libmemcached.
   * @defaultValue false
   */
  ketama_weighted: boolean;
  /**
   * How the number becomes a server; undefined under a placement that is not libmemcached's.
   * @defaultValue "modula"
   */
  distribution: Distribution | undefined;
  /** Always true: `gets` and `cas` work. */
  cas: boolean;
  /**
   * `set` and `delete` are held in the client until something else goes to their server, and
   * succeed at once. @defaultValue false
   */
  buffer_requests: boolean;
  /** Always true. */
  verify_keys: boolean;
  /** Milliseconds for one attempt to connect; the option `connectTimeoutMs`. @defaultValue 1000 */
  connect_timeout: number;
  /** Always 0; `_poll_timeout` limits a call. */
  send_timeout: number;
  /** Always 0; `_poll_timeout` limits a call. */
  receive_timeout: number;
  /** Copies of each item on the servers that follow its own. @defaultValue 0 */
  num_replicas: number;
  /**
   * Whether the keys of a dead server go elsewhere on the ring. `"modula"`, the default, has no
   * other place for them. @defaultValue false
   */
  auto_eject: boolean;
  /** The most seconds between two probes of a server that fails. @defaultValue 2 */
  retry_timeout: number;
  /** Another name for `auto_eject`; any number but 0 is true. */
  remove_failed: boolean;
  /** Failures in a row after which a server is dead. @defaultValue 5 */
  failure_limit: number;
  /** Always 500: nothing waits for replies before it sends. */
  _io_msg_watermark: number;
  /** Always 66560, as above. */
  _io_bytes_watermark: number;
  /** Always 0, as above. */
  _io_key_prefetch: number;
  /** Whether the namespace is hashed with the key. @defaultValue false */
  _hash_with_prefix_key: boolean;
  /** Writes ask for no reply unless a call says otherwise. @defaultValue false */
  _noreply: boolean;
  /** Servers count in the order of their hosts and ports. @defaultValue false */
  _sort_hosts: boolean;
  /** Milliseconds for a whole call; the option `timeoutMs`. @defaultValue 1000 */
  _poll_timeout: number;
  /** Always 0: the system chooses. */
  _socket_send_size: number;
  /** Always 0: the system chooses. */
  _socket_recv_size: number;
  /** The fewest seconds that a dead server whose keys went elsewhere stays away. @defaultValue 0 */
  dead_timeout: number;
  /** 2 to 5 for pickles that are written, or -1 for the highest. @defaultValue 4 */
  pickle_protocol: -1 | 2 | 3 | 4 | 5;
  /** Put in front of every key; the option `keyPrefix`. @defaultValue "" */
  namespace: Key;
}

/** What other names stand for: those of early pylibmc, which had blanks, and one old one. */
export const behaviorAliases = {
  "no block": "no_block",
  "tcp nodelay": "tcp_nodelay",
  "ketama hash": "ketama_hash",
  "ketama weighted": "ketama_weighted",
  "support cas": "cas",
  "buffer requests": "buffer_requests",
  "verify key": "verify_keys",
  "connect timeout": "connect_timeout",
  "send timeout": "send_timeout",
  "receive timeout": "receive_timeout",
  "num replicas": "num_replicas",
  "auto eject": "auto_eject",
  "failure limit": "failure_limit",
  "sort hosts": "_sort_hosts",
  "poll timeout": "_poll_timeout",
  _retry_timeout: "retry_timeout",
} as const;

type Aliases = typeof behaviorAliases;

/** libmemcached's switches are numbers. */
type Given<Value> = Value extends boolean ? boolean | number : Value;

/** Behaviors to set, by any of their names. */
export type BehaviorOptions = {
  readonly [Name in keyof Behaviors]?: Given<Behaviors[Name]> | undefined;
} & {
  readonly [Alias in keyof Aliases]?: Given<Behaviors[Aliases[Alias]]> | undefined;
} & {
  /** libmemcached dropped it, and nothing is looked up here that could be cached. */
  readonly "cache lookups"?: boolean | number | undefined;
};

import { OptionError } from "../errors.js";
import { hashFunction } from "../hash/algorithms.js";
import type { HashFunction } from "../hash/function.js";
import { wireForm } from "../hash/wireform.js";
import { checkChoice } from "../util/check.js";
import { keysOf } from "../util/names.js";
import {
  addServers,
  type DistributionBehaviors,
  type EffectiveBehaviors,
  reportBehaviors,
  resolveBehaviors,
} from "./behaviors.js";
import { Continuum } from "./continuum.js";
import { type DistributionChoice, type DistributionOptions, ringBuilder } from "./distribution.js";
import { type PlacementPreset, presets } from "./presets.js";
import type { Member, Ring, RingBuilder, RingServer } from "./ring.js";

/** All behaviors that decide where a key goes. */
export interface PlacementBehaviors extends DistributionBehaviors {
  readonly _sort_hosts?: boolean | undefined;
  /** Put before each key; it decides nothing unless `_hash_with_prefix_key` is on. */
  readonly namespace?: string | Uint8Array | undefined;
  readonly _hash_with_prefix_key?: boolean | undefined;
}

export interface PlacementOptions extends DistributionOptions {
  /** Where another client would put keys; then no behavior may choose a hash or a ring. */
  readonly preset?: PlacementPreset | undefined;
  readonly behaviors?: PlacementBehaviors | undefined;
}

/** Why a key goes where it goes. */
export interface Explanation {
  /** The key's hash; 0 if there is one server and nothing was hashed. */
  readonly hash: number;
  /** The point of the ring that the hash belongs to; undefined for a ring without points. */
  readonly point: number | undefined;
  /** The server's position in the list as it was given. */
  readonly position: number;
}

/** A hash and a ring, chosen. */
interface Scheme {
  readonly hash: HashFunction;
  readonly ring: RingBuilder;
  readonly prefixed: boolean;
  /** Undefined where the preset is none of libmemcached's. */
  readonly choice: DistributionChoice | undefined;
}

/** libmemcached's limit for a namespace and a key that are hashed together. */
const MAX_HASHED_BYTES = 250;

/**
 * Where keys go, for one list of servers and one configuration, each live or ejected.
 * It never changes: when servers do, there is a new one.
 *
 * Placement is libmemcached's for the same behaviors given at construction. Where the
 * real library's depends on the order of calls, this one does not.
 */
export class Placement {
  /** Whether the namespace is hashed with each key. */
  readonly prefixed: boolean;
  readonly #options: PlacementOptions;
  readonly #servers: readonly RingServer[];
  readonly #scheme: Scheme;
  /** The servers in libmemcached's own order: as given, or sorted. */
  readonly #members: readonly Member[];
  readonly #ring: Ring;
  /** Hashed before each key. */
  readonly #prefix: string;

  /**
   * @param servers - one or more
   * @param live - for each server whether it takes part; all do if it is left out, or if none would
   * @param base - a placement that differs from it only in who is live, which saves work
   * @throws OptionError for an unknown name, or a configuration that contradicts itself
   */
  constructor(
    options: PlacementOptions,
    servers: readonly RingServer[],
    live: readonly boolean[] = [],
    base?: Placement,
  ) {
    const {
      _sort_hosts: sorted,
      _hash_with_prefix_key: prefixed,
      namespace = "",
    } = options.behaviors ?? {};
    this.#options = options;
    this.#servers = servers;
    this.#scheme = base === undefined ? chooseScheme(options, servers) : base.#scheme;
    this.#members = orderMembers(servers, live, sorted === true);
    const ring = base === undefined ? undefined : base.#ring.withLive?.(this.#members);
    this.#ring = ring ?? this.#scheme.ring(this.#members);
    this.prefixed = prefixed ?? this.#scheme.prefixed;
    this.#prefix = this.prefixed ? wireForm(namespace) : "";
  }

  /**
   * The position in the list of the server that a key belongs to.
   * @param key - in wire form, without the namespace
   */
  locate(key: string): number {
    return this.#members.length === 1 ? 0 : this.#ring.locate(this.#hash(key));
  }

  /**
   * The positions of the servers that a key belongs to with `num_replicas`: its own,
   * then those that follow in libmemcached's order, each once.
   */
  locateReplicas(key: string, replicas: number): number[] {
    const members = this.#members;
    const own = this.locate(key);
    const first = members.findIndex(({ position }) => position === own);
    const count = Math.min(replicas + 1, members.length);
    return Array.from({ length: count }, (_, i) => members[(first + i) % members.length]!.position);
  }

  /** Why {@link locate} answers as it does. */
  explain(key: string): Explanation {
    const hash = this.#members.length === 1 ? 0 : this.#hash(key);
    const point = this.#ring instanceof Continuum ? this.#ring.pointOf(hash) : undefined;
    return { hash, point, position: this.locate(key) };
  }

  /**
   * `hash`, `distribution`, `ketama` and `ketama_weighted` as pylibmc's
   * `client.behaviors` reports them; undefined under a preset that is not libmemcached's.
   */
  get behaviors(): EffectiveBehaviors | undefined {
    const { choice } = this.#scheme;
    return choice && reportBehaviors(choice);
  }

  /** Whether the keys of a server that was ejected have no other place. */
  get isFixed(): boolean {
    return this.#ring.isFixed ?? false;
  }

  /** The same configuration with only some of the servers, or with all if none is left. */
  withLive(live: readonly boolean[]): Placement {
    return new Placement(this.#options, this.#servers, live, this);
  }

  #hash(key: string): number {
    if (this.#prefix === "") return this.#scheme.hash(key);
    const whole = this.#prefix + key;
    return whole.length > MAX_HASHED_BYTES ? 0 : this.#scheme.hash(whole);
  }
}

function chooseScheme(options: PlacementOptions, servers: readonly RingServer[]): Scheme {
  const { preset: name, behaviors = {} } = options;
  if (name === undefined) return libmemcachedScheme(behaviors, options, servers);
  checkChoice(name, "placement", keysOf(presets));
  refuseContradiction(name, behaviors);
  const preset = presets[name];
  return "behaviors" in preset
    ? libmemcachedScheme(preset.behaviors, options, servers)
    : { ...preset, choice: undefined };
}

function libmemcachedScheme(
  behaviors: DistributionBehaviors,
  options: DistributionOptions,
  servers: readonly RingServer[],
): Scheme {
  const choice = addServers(resolveBehaviors(behaviors), servers);
  return {
    hash: hashFunction(choice.hash),
    ring: ringBuilder(choice, options),
    prefixed: false,
    choice,
  };
}

const CHOOSING = ["hash", "ketama_hash", "ketama", "ketama_weighted", "distribution"] as const;

function refuseContradiction(preset: PlacementPreset, behaviors: PlacementBehaviors): void {
  const named = CHOOSING.find((behavior) => behaviors[behavior] !== undefined);
  if (named === undefined) return;
  throw new OptionError(
    `placement ${JSON.stringify(preset)} already chooses the hash and the ring; leave out the behavior ${named} or the placement`,
  );
}

function orderMembers(
  servers: readonly RingServer[],
  live: readonly boolean[],
  sorted: boolean,
): readonly Member[] {
  if (servers.length === 0) throw new OptionError("There is no server to place keys on");
  const anyLive = servers.some((_, position) => live[position] !== false);
  const members = servers.map(({ host, port, weight }, position): Member => {
    return {
      host,
      port,
      weight: Math.max(1, weight),
      position,
      live: !anyLive || live[position] !== false,
    };
  });
  return sorted ? members.sort(byHostAndPort) : members;
}

/** `strcmp` of the hosts, then the ports as numbers. */
function byHostAndPort(a: Member, b: Member): number {
  const hostA = wireForm(a.host);
  const hostB = wireForm(b.host);
  if (hostA === hostB) return a.port - b.port;
  return hostA < hostB ? -1 : 1;
}

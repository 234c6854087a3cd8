import type { Address } from "../../connection/address.js";
import type { ConnectionEvents } from "../../connection/announcer.js";
import { Turnstile } from "../../connection/turnstile.js";
import { asMemcachedError, ConnectionClosedError, type ErrorDetails } from "../../errors.js";
import type { Operation } from "../../operation.js";
import { encodePrefix } from "../../protocol/key.js";
import { Placement } from "../../ring/placement.js";
import type { RingServer } from "../../ring/ring.js";
import type { HealthOptions } from "../../routing/health.js";
import type { Reading } from "../../routing/replicas.js";
import { Router } from "../../routing/router.js";
import { Server } from "../../routing/server.js";
import { WriteBuffer } from "../../routing/writebuffer.js";
import { Events } from "../../util/events.js";
import { Pending } from "../../util/pending.js";
import { allSettled, within } from "../../util/ready.js";
import { atEndOfTurn } from "../../util/turn.js";
import type { Codec, Serializer } from "../../value/codec.js";
import { createCodec } from "../../value/factory.js";
import type { Behaviors } from "../behaviors/behaviors.js";
import {
  type CheckedBehaviors,
  initialBehavior,
  mergeBehaviors,
  movesKeys,
} from "../behaviors/rules.js";
import { Dispatcher } from "../calls/dispatcher.js";
import { Chunks } from "../chunks/chunks.js";
import { CLIENT_EVENTS, type ClientEvents, type ServerInfo } from "../events.js";
import { warnOnce } from "../warning.js";
import {
  behaviorsOf,
  type ClientOptions,
  codecOptions,
  type FixedOptions,
  fixedOptions,
} from "./configure.js";
import { readingOf } from "./copyreading.js";
import { exposeCredentials } from "./exposure.js";
import { Losses } from "./losses.js";
import { arrange, type Policies, warnOfIdle } from "./policies.js";
import { checkWay } from "./transport.js";

/**
 * What a client is set to, its servers and its behaviors, and what carries its operations.
 * Whatever is changed holds from the next operation on; a change that is refused changes
 * nothing.
 */
export class Settings {
  readonly dispatcher: Dispatcher;
  readonly events: Events<ClientEvents> = new Events(CLIENT_EVENTS);
  /** What the options say of values, without their encryption. */
  values: Codec;
  /** Counts the calls that failed and were made a miss. */
  masked = 0;
  readonly losses: Losses = new Losses();
  /** How copies are read, and what that has come to. */
  readonly reading: Reading;
  /** Counts the changes. */
  revision = 0;
  readonly #options: ClientOptions;
  readonly #fixed: FixedOptions;
  /** How the next connections are made; every server looks here. */
  readonly #connecting: { connectTimeoutMs: number; noDelay: boolean; keepAlive: boolean };
  /** How their health is judged; as above. */
  readonly #health: HealthOptions;
  readonly #turnstile: Turnstile;
  /** The servers that stand in for dead ones, if there are any. */
  readonly #gutter: Router | undefined;
  #given: CheckedBehaviors;
  #placement: Placement;
  /** A subclass's own methods. */
  #serializer: Serializer | undefined = undefined;
  /** Values that are decoded on another thread, or by a codec that takes its time. */
  readonly #decoding = new Pending();
  /** What is put around the codec. */
  #wrap: (codec: Codec) => Codec = (codec) => codec;

  /** @throws OptionError for an option that is unknown or out of its range */
  constructor(addresses: readonly Address[], options: ClientOptions) {
    const fixed = fixedOptions(options);
    const { encodeKey, base64Keys } = fixed.transport;
    this.#options = options;
    this.#fixed = fixed;
    this.#turnstile = new Turnstile(fixed.maxConnecting);
    this.reading = readingOf(fixed.policies.copyReading);
    this.#given = behaviorsOf(options);
    this.#placement = this.#place(this.#given, addresses);
    this.#connecting = this.#connections();
    this.#health = this.#judgement();
    const values = codecOptions(options, this.#given.pickle_protocol);
    this.values = createCodec({ ...values, encryption: undefined });
    this.dispatcher = new Dispatcher({
      router: new Router(
        addresses.map((address) => this.#connectTo(address)),
        this.#placement,
      ),
      codec: this.#kept(createCodec(values)),
      encodeKey,
      base64Keys,
      prefix: encodePrefix(this.read("namespace"), encodeKey),
      noreply: this.read("_noreply"),
      timeoutMs: this.read("_poll_timeout"),
      maxValueSize: fixed.maxValueSize,
    });
    if (fixed.chunk !== undefined) {
      this.dispatcher.chunks = new Chunks(this.dispatcher, fixed.chunk, options.binary === true);
    }
    this.#gutter = this.#connectGutter();
    this.#arrange();
  }

  /** The behaviors that were given, as they would have to be given to a new client. */
  get given(): CheckedBehaviors {
    return this.#given;
  }

  get placement(): Placement {
    return this.#placement;
  }

  /** The servers in the order in which they were given. */
  get servers(): readonly ServerInfo[] {
    return this.dispatcher.router.servers.map((_, index) => this.server(index));
  }

  /** The server at a position in the list. */
  server(index: number): ServerInfo {
    const { name, host, port, weight } = this.dispatcher.router.servers[index]!.address;
    return { name, host, port, weight, index };
  }

  /** A behavior as it is in effect. */
  read<Name extends keyof Behaviors>(name: Name): Behaviors[Name];
  read(name: keyof Behaviors): unknown {
    switch (name) {
      case "hash":
      case "distribution":
        return this.#placement.behaviors?.[name];
      case "ketama":
      case "ketama_weighted":
        return this.#placement.behaviors?.[name] ?? false;
      case "_hash_with_prefix_key":
        return this.#placement.prefixed;
      case "tcp_nodelay":
        return this.#given[name] ?? this.#options.socket?.noDelay ?? initialBehavior(name);
      case "tcp_keepalive":
        return this.#given[name] ?? this.#options.socket?.keepAlive ?? initialBehavior(name);
      case "pickle_protocol":
        return this.#given[name] ?? this.#options.pickle?.protocol ?? initialBehavior(name);
      case "auto_eject":
      case "remove_failed":
        return this.#given.auto_eject ?? this.#fixed.policies.failover === "rehash";
      default:
        return this.#given[name] ?? initialBehavior(name);
    }
  }

  /** Sets some behaviors, all or none. */
  assign(behaviors: CheckedBehaviors): void {
    const given = mergeBehaviors(this.#given, behaviors);
    const { dispatcher } = this;
    const prefix = encodePrefix(given.namespace ?? "", dispatcher.encodeKey);
    const placement = movesKeys(behaviors) ? this.#place(given, this.servers) : this.#placement;
    this.#given = given;
    this.#move(dispatcher.router.servers, placement);
    this.#arrange();
    Object.assign(this.#connecting, this.#connections());
    Object.assign(this.#health, this.#judgement());
    dispatcher.timeoutMs = this.read("_poll_timeout");
    dispatcher.prefix = prefix;
    dispatcher.noreply = this.read("_noreply");
    if (behaviors.pickle_protocol !== undefined) this.#encode();
  }

  /** Has a subclass's methods encode values; compression and encryption stay around them. */
  serializeWith(serializer: Serializer): void {
    this.#serializer = serializer;
    this.#encode();
  }

  /** Puts something around what encodes and decodes values, also when that is made anew. */
  wrapCodec(wrap: (codec: Codec) => Codec): void {
    const within = this.#wrap;
    this.#wrap = (codec) => wrap(within(codec));
    this.dispatcher.codec = this.#kept(wrap(this.dispatcher.codec));
  }

  /** Other servers; those that stay keep their connections. */
  setServers(addresses: readonly Address[]): void {
    const placement = this.#place(this.#given, addresses);
    const present = [...this.dispatcher.router.servers];
    const servers = addresses.map((address) => {
      const at = present.findIndex(({ name }) => name === address.name);
      return at < 0 ? this.#connectTo(address) : present.splice(at, 1)[0]!;
    });
    for (const [i, server] of servers.entries()) server.address = addresses[i]!;
    this.#move(servers, placement);
  }

  disconnect(): void {
    this.dispatcher.router.disconnect();
    this.#gutter?.disconnect();
  }

  /** Ends everything when nothing is under way any more, or when the time is over. */
  async close(drainMs: number): Promise<void> {
    const { router, turns } = this.dispatcher;
    let underWay = this.#underWay();
    let isOver = drainMs === 0;
    const drain = async () => {
      while (!isOver) {
        await underWay;
        await new Promise<void>(atEndOfTurn); // by then each call has taken its next step
        underWay = this.#underWay();
        isOver ||= underWay === undefined;
      }
    };
    await within(drainMs, drain());
    isOver = true;
    const closed = (details: ErrorDetails = { sent: true }) =>
      new ConnectionClosedError("The client was closed", details);
    turns.end(({ details }) => closed(details));
    router.end();
    this.#gutter?.end();
    this.#decoding.giveUp(closed);
  }

  /** Requests, and values that are being encoded or decoded for some; what is held back has to leave, too. */
  #underWay(): Promise<unknown> | undefined {
    const { buffer, router, turns } = this.dispatcher;
    buffer?.release();
    const requests = [router.drained(), this.#gutter?.drained()];
    return allSettled([turns.taken, ...requests, this.#decoding.settled]);
  }

  /** Puts the policies around the router that the options and behaviors ask for. */
  #arrange(): void {
    const { dispatcher } = this;
    const { policies } = this.#fixed;
    const copies = this.read("num_replicas");
    const chosen = { ...policies, failover: this.#failover };
    warnOfIdle(chosen, copies, this.#placement.isFixed);
    const executor = arrange({
      ...chosen,
      router: dispatcher.router,
      gutter: this.#gutter,
      copies,
      reading: this.reading,
      onMasked: ({ command }, error) => {
        this.masked++;
        this.events.emit("masked", { command: command.name, error });
      },
    });
    dispatcher.buffer = this.read("buffer_requests")
      ? new WriteBuffer(dispatcher.router, executor, this.#fixed.limits, this.#noteLoss)
      : undefined;
    dispatcher.executor = dispatcher.buffer ?? executor;
  }

  #noteLoss = ({ command, request, route }: Operation, reason: unknown): void => {
    const error = asMemcachedError(reason);
    const { server = this.dispatcher.router.serverFor(route).name } = error;
    this.losses.note(server, error);
    this.events.emit("lost", { command: command.name, key: request.key, error });
  };

  get #failover(): Policies["failover"] {
    return this.#fixed.policies.failover ?? (this.read("auto_eject") ? "rehash" : undefined);
  }

  #connectGutter(): Router | undefined {
    const { failover } = this.#fixed.policies;
    if (typeof failover !== "object") return undefined;
    // A server that stands in has no stand-in of its own to share its keys with.
    const health: HealthOptions = Object.create(this.#health, { rampUpMs: { value: 0 } });
    const servers = failover.addresses.map((address) => this.#connectTo(address, health));
    const behaviors = { distribution: "consistent ketama" } as const;
    return new Router(servers, new Placement({ behaviors }, failover.addresses));
  }

  #connections() {
    return {
      connectTimeoutMs: this.read("connect_timeout"),
      noDelay: this.read("tcp_nodelay"),
      keepAlive: this.read("tcp_keepalive"),
    };
  }

  /** A server that is not ejected need not stay away longer than it is gone. */
  #judgement(): HealthOptions {
    const ejects = this.#failover !== undefined;
    const moves = ejects && this.read("num_replicas") === 0;
    return {
      failureLimit: this.read("failure_limit"),
      retryTimeoutMs: this.read("retry_timeout") * 1000,
      deadTimeoutMs: ejects ? this.read("dead_timeout") * 1000 : 0,
      rampUpMs: moves ? this.#fixed.policies.rampUpMs : 0,
    };
  }

  #connectTo(address: Address, health = this.#health): Server {
    const { stallTimeoutMs, limits, transport, policies } = this.#fixed;
    const connecting = this.#connecting;
    const events: Events<ConnectionEvents> = this.events;
    checkWay(address, transport);
    const { plaintext, tls } = transport;
    if (plaintext !== undefined) exposeCredentials(address, plaintext, tls !== undefined);
    return new Server(address, {
      ...transport,
      socket: {
        ...transport.socket,
        get noDelay() {
          return connecting.noDelay;
        },
        get keepAlive() {
          return connecting.keepAlive;
        },
      },
      stallTimeoutMs,
      limits,
      turnstile: this.#turnstile,
      onEvent: (type, event) => events.emit(type, event),
      health,
      onHealth: (event) => {
        this.dispatcher.router.healthChanged();
        this.events.emit("health", event);
      },
      rejoin: policies.rejoin,
      onRejoin: (event) => this.events.emit("rejoin", event),
      codec: this.values,
      connecting,
    });
  }

  #place(behaviors: CheckedBehaviors, servers: readonly RingServer[]): Placement {
    const { preset, distribution } = this.#fixed;
    const placement = new Placement({ ...distribution, preset, behaviors }, servers);
    const hash = placement.behaviors?.hash;
    if (behaviors.hash !== undefined && behaviors.hash !== hash) {
      warnOnce(
        "The behavior hash",
        `stays ${String(hash)} while ketama_weighted is on; the distribution "consistent weighted" takes any hash`,
      );
    }
    return placement;
  }

  /** What is held back was meant for the servers as they were. */
  #move(servers: readonly Server[], placement: Placement): void {
    this.dispatcher.buffer?.release();
    this.#placement = placement;
    this.dispatcher.router.change(servers, placement);
    this.revision++;
  }

  #kept(codec: Codec): Codec {
    return Object.assign(codec, { slow: this.#decoding });
  }

  #encode(): void {
    const options = codecOptions(this.#options, this.#given.pickle_protocol);
    const serializer = this.#serializer;
    this.values = createCodec({ ...options, encryption: undefined });
    const codec = createCodec(
      serializer === undefined ? options : { ...options, codec: undefined, serializer },
    );
    this.dispatcher.codec = this.#kept(this.#wrap(codec));
  }
}

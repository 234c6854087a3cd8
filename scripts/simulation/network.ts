import { syncBuiltinESMExports } from "node:module";
import net, { type OnReadOpts, type TcpNetConnectOpts } from "node:net";
import type { VirtualClock } from "./clock.js";
import type { Random } from "./random.js";
import { type Command, ModelServer, parse } from "./server.js";
import { ModelSocket } from "./socket.js";

export interface NetworkOptions {
  /** The median way of a packet, one direction, in milliseconds. */
  readonly latencyMs: number;
  /** The median of what a slow server takes for an answer, in milliseconds. */
  readonly slowMs: number;
}

type ConnectOptions = TcpNetConnectOpts & { readonly onread: OnReadOpts };

/** A server, and what is the matter with it. */
export class Place {
  readonly position: number;
  readonly server: ModelServer;
  condition: "up" | "crashed" | "hung" | "slow" = "up";
  /** Counts its processes: what was sent to an earlier one is lost. */
  life = 0;
  /** The clients whose packets do not get through, either way. */
  readonly cutFrom = new Set<string>();
  readonly sockets = new Set<ModelSocket>();
  /** What waits until it answers again, or can be reached. */
  readonly waiting: (() => unknown)[] = [];

  constructor(position: number, server: ModelServer) {
    this.position = position;
    this.server = server;
  }
}

/** Tells of each request when it is written. */
export type OnCommand = (client: string, position: number, command: Command) => void;

/**
 * The servers and the way to them. While it is installed, `net.connect` leads there, so that
 * the library runs as it is, from its calls down to its sockets.
 */
export class Network implements Disposable {
  readonly places: readonly Place[];
  /** How often a client has tried to connect. */
  attempts = 0;
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #options: NetworkOptions;
  readonly #onCommand: OnCommand;
  readonly #byHost = new Map<string, Place>();
  readonly #connect = net.connect;

  constructor(
    clock: VirtualClock,
    random: Random,
    hosts: readonly string[],
    options: NetworkOptions,
    onCommand: OnCommand,
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#options = options;
    this.#onCommand = onCommand;
    this.places = hosts.map((host, position) => {
      const place = new Place(position, new ModelServer(clock));
      this.#byHost.set(host, place);
      return place;
    });
  }

  install(): void {
    Reflect.set(net, "connect", (options: ConnectOptions) => {
      const place = this.#byHost.get(options.host ?? "");
      return place === undefined ? this.#connect(options) : this.#open(place, options);
    });
    syncBuiltinESMExports();
  }

  [Symbol.dispose](): void {
    Reflect.set(net, "connect", this.#connect);
    syncBuiltinESMExports();
  }

  /** The process is gone, with its connections and all that it held. */
  crash(place: Place): void {
    place.condition = "crashed";
    place.life++;
    place.server.clear();
    for (const socket of place.sockets) {
      this.#toClient(place, socket, () => socket.fail(new Error("read ECONNRESET")));
    }
    place.sockets.clear();
  }

  /** It is as it was before, and carries out what has waited. */
  recover(place: Place): void {
    place.condition = "up";
    place.cutFrom.clear();
    for (const act of place.waiting.splice(0)) act();
  }

  #open(place: Place, { host = "", localAddress = "", onread }: ConnectOptions): ModelSocket {
    const socket: ModelSocket = new ModelSocket(localAddress, onread, (text) =>
      this.#toServer(place, socket, text),
    );
    this.attempts++;
    this.#clock.after(2 * this.#packetMs(), () => {
      if (place.cutFrom.has(localAddress) || socket.isDestroyed) return;
      if (place.condition === "crashed") {
        socket.fail(new Error(`connect ECONNREFUSED ${host}`));
        return;
      }
      socket.life = place.life;
      place.sockets.add(socket);
      socket.emit("connect");
    });
    return socket;
  }

  #toServer(place: Place, socket: ModelSocket, text: string): void {
    const commands = parse(text);
    for (const command of commands) this.#onCommand(socket.client, place.position, command);
    socket.requestsAt = Math.max(this.#clock.now + this.#packetMs(), socket.requestsAt);
    const wayMs = socket.requestsAt - this.#clock.now;
    this.#clock.after(wayMs, () => this.#arrive(place, socket, commands));
  }

  /**
   * What reaches a stopped process, or cannot reach it, does so later: the kernels at both
   * ends keep it, even for a socket that its client has closed since, unless by a reset.
   */
  #arrive(place: Place, socket: ModelSocket, commands: readonly Command[]): void {
    if (socket.life !== place.life || place.condition === "crashed") return;
    if (place.condition === "hung" || place.cutFrom.has(socket.client)) {
      place.waiting.push(() => socket.isReset || this.#arrive(place, socket, commands));
      return;
    }
    const reply = commands.map((command) => place.server.answer(command)).join("");
    const serviceMs = place.condition === "slow" ? this.#slowMs() : 0;
    this.#clock.after(serviceMs, () => this.#toClient(place, socket, () => socket.receive(reply)));
  }

  #toClient(place: Place, socket: ModelSocket, act: () => void): void {
    if (socket.isDestroyed) {
      place.sockets.delete(socket);
      return;
    }
    socket.repliesAt = Math.max(this.#clock.now + this.#packetMs(), socket.repliesAt);
    this.#clock.after(socket.repliesAt - this.#clock.now, () => {
      if (place.cutFrom.has(socket.client)) {
        place.waiting.push(() => this.#toClient(place, socket, act));
      } else act();
    });
  }

  #packetMs(): number {
    return this.#random.logNormal(this.#options.latencyMs, 0.3);
  }

  #slowMs(): number {
    return this.#random.logNormal(this.#options.slowMs, 1);
  }
}

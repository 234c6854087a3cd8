import { parseServers, type ServerOptions, type Servers } from "../client/servers/servers.js";
import { withUrl } from "../client/servers/url.js";
import { exposeCredentials } from "../client/settings/exposure.js";
import { type TransportOptions, transportOf } from "../client/settings/transport.js";
import type { Address } from "../connection/address.js";
import { Dialer } from "../connection/dial.js";
import type { Greet } from "../connection/greeting.js";
import { AuthError, NotSupportedError, OptionError } from "../errors.js";
import { checkChoice, checkDurationMs, checkOptions } from "../util/check.js";
import { namesOf } from "../util/names.js";
import { type ClusterList, isUnknown, memberServer, parseClusterList } from "./clusterlist.js";
import { Conversation } from "./conversation.js";
import { type Look, polling } from "./polling.js";

/** How a discovery endpoint is asked. */
export interface ElasticacheOptions
  extends Pick<
    TransportOptions,
    "tls" | "username" | "password" | "credentials" | "plaintextCredentials" | "socket"
  > {
  /** Milliseconds from one question to the next, give or take a quarter. @defaultValue 60000 */
  readonly intervalMs?: number | undefined;
  /** Milliseconds for a question, connecting included. @defaultValue 2000 */
  readonly timeoutMs?: number | undefined;
  /**
   * Which of a server's names the client is to use; placement goes by it, so that all programs
   * have to agree. A certificate is for the host name.
   * @defaultValue "host"
   */
  readonly use?: "host" | "ip" | undefined;
}

const OPTIONS = namesOf<ElasticacheOptions>({
  tls: true,
  username: true,
  password: true,
  credentials: true,
  plaintextCredentials: true,
  socket: true,
  intervalMs: true,
  timeoutMs: true,
  use: true,
});

/** For how many intervals an older version is taken for the answer of a server that lags. */
const LAGGING_INTERVALS = 3;

/**
 * The servers of a cluster of AWS ElastiCache or Google Memorystore, as its configuration or
 * discovery endpoint tells them (`config get cluster`, and at engines before 1.4.14
 * `get AmazonElastiCache:cluster`). Nothing else is ever sent there.
 *
 * A list counts when its version has grown. One with an older version may be that of a server
 * that has not heard yet; it counts when it still stands after three intervals, as it does
 * where a cluster was made again.
 * @param endpoint - as a client takes a server, or a URL of one
 * @throws OptionError for an endpoint that cannot be read, or an unknown option
 */
export function elasticache(
  endpoint: string | ServerOptions,
  options: ElasticacheOptions = {},
): AsyncIterable<Servers> {
  checkOptions(options, OPTIONS, "elasticache");
  const { intervalMs = 60_000, use = "host" } = options;
  checkDurationMs(intervalMs, "intervalMs");
  checkChoice(use, "use", ["host", "ip"]);
  const cluster = new KnownCluster(LAGGING_INTERVALS * intervalMs);
  const asking = new Endpoint(endpoint, options);
  return polling(
    intervalMs,
    (_, ended): Look =>
      async () => {
        const { members } = cluster.hear(await asking.ask(ended));
        return members.map((member) => memberServer(member, use));
      },
  );
}

/** The newest list that was heard of, shared by all iterations. */
class KnownCluster {
  readonly #lagMs: number;
  #list: ClusterList | undefined = undefined;
  #olderSince: number | undefined = undefined;

  constructor(lagMs: number) {
    this.#lagMs = lagMs;
  }

  /** The list that counts, now that this one was heard. */
  hear(list: ClusterList): ClusterList {
    const known = this.#list;
    if (known === undefined || list.version > known.version || this.#isStillOlder(list, known)) {
      this.#list = list;
      this.#olderSince = undefined;
      return list;
    }
    return known;
  }

  #isStillOlder(list: ClusterList, known: ClusterList): boolean {
    if (list.version === known.version) {
      this.#olderSince = undefined;
      return false;
    }
    this.#olderSince ??= performance.now();
    return performance.now() - this.#olderSince >= this.#lagMs;
  }
}

/** A discovery endpoint, and how it is asked. */
class Endpoint {
  readonly #name: string;
  readonly #dialer: Dialer;
  readonly #greet: Greet | undefined;
  readonly #timeoutMs: number;

  constructor(endpoint: string | ServerOptions, options: ElasticacheOptions) {
    const { timeoutMs = 2000, intervalMs: _, use: __, ...transport } = options;
    const address = oneAddress(endpoint);
    const url = typeof endpoint === "string" ? endpoint : [endpoint];
    const { socket, tls, greet, plaintext } = transportOf(withUrl(url, transport));
    if (plaintext !== undefined) exposeCredentials(address, plaintext, tls !== undefined);
    this.#name = address.name;
    this.#dialer = new Dialer(address, socket, tls);
    this.#greet = greet;
    this.#timeoutMs = checkDurationMs(timeoutMs, "timeoutMs");
  }

  async ask(ended: AbortSignal): Promise<ClusterList> {
    const talk = await Conversation.open(this.#dialer, this.#name, this.#timeoutMs, ended);
    try {
      const greeting = this.#greet?.((request) => talk.authenticate(request), this.#name);
      if (greeting !== undefined) await talk.during(greeting);
      const answer = await talk.say("config get cluster");
      return this.#read(
        isUnknown(answer) ? await talk.say("get AmazonElastiCache:cluster") : answer,
      );
    } finally {
      talk.end();
    }
  }

  #read(answer: string): ClusterList {
    const server = this.#name;
    if (answer.startsWith("CLIENT_ERROR unauthenticated")) {
      throw new AuthError(`${server} asks for a username and a password`, { server });
    }
    if (isUnknown(answer)) {
      const message = `${server} knows of no cluster; give the configuration endpoint of ElastiCache, or the discovery endpoint of Memorystore`;
      throw new NotSupportedError(message, { server });
    }
    return parseClusterList(answer, server);
  }
}

function oneAddress(endpoint: string | ServerOptions): Address {
  const [address, ...others] = parseServers(typeof endpoint === "string" ? endpoint : [endpoint]);
  if (address !== undefined && others.length === 0) return address;
  throw new OptionError("A cluster has one discovery endpoint; give its host and port");
}

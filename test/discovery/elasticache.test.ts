import type { LookupFunction } from "node:net";
import fc from "fast-check";
import {
  AuthError,
  Client,
  ConnectError,
  NotSupportedError,
  OptionError,
  ProtocolError,
  type Servers,
  TimeoutError,
} from "tslibmc";
import { type ElasticacheOptions, elasticache } from "tslibmc/discovery";
import { MemcachedServer, type MemcachedServerOptions } from "tslibmc/testing";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { answerLength, parseClusterList } from "../../src/discovery/clusterlist.js";
import { Authority } from "../support/certificates.js";
import { type Memcached, startMemcached } from "../support/memcached.js";
import { errorOf } from "../support/outcome.js";
import { answers, ScriptedServer } from "../support/scripted.js";
import { until } from "../support/until.js";
import { listsOf } from "./lists.js";

const MEMBERS = ["one.test|10.0.0.1|11211", "two.test|10.0.0.2|11212"];
const HOSTS = [
  { host: "one.test", port: 11211 },
  { host: "two.test", port: 11212 },
];

async function endpoint(options: MemcachedServerOptions = {}): Promise<MemcachedServer> {
  const server = await MemcachedServer.start({ cluster: MEMBERS, log: "requests", ...options });
  onTestFinished(() => server.close());
  return server;
}

/** What the first answer of an endpoint comes to. */
function firstOf(address: string, options: ElasticacheOptions = {}): Promise<Servers> {
  return listsOf(elasticache(address, options))();
}

describe("the servers of a cluster", () => {
  test("are called by their host names, or by their addresses", async () => {
    const { address } = await endpoint();
    expect(await firstOf(address)).toEqual(HOSTS);
    expect(await firstOf(address, { use: "ip" })).toEqual([
      { host: "10.0.0.1", port: 11211 },
      { host: "10.0.0.2", port: 11212 },
    ]);
  });

  test("may have any port, and any number of blanks between them", async () => {
    const { version, members } = parseClusterList(
      "CONFIG cluster 0 40\r\n12\n one.test|10.0.0.1|1   two.test|10.0.0.2|65535 \n\r\nEND\r\n",
      "x",
    );
    expect([version, members]).toEqual([
      12,
      [
        { host: "one.test", ip: "10.0.0.1", port: 1 },
        { host: "two.test", ip: "10.0.0.2", port: 65535 },
      ],
    ]);
  });

  test("are called by what there is, where one is missing", async () => {
    const { address } = await endpoint({ cluster: ["one.test||1", "|10.0.0.2|2", "[::1]:3"] });
    const hosts = ["one.test", "10.0.0.2", "::1"].map((host, i) => ({ host, port: i + 1 }));
    expect(await firstOf(address)).toEqual(hosts);
    expect(await firstOf(address, { use: "ip" })).toEqual(hosts);
  });

  test("are all that an endpoint is ever asked for", async () => {
    const server = await endpoint();
    const next = listsOf(elasticache(server.address, { intervalMs: 10 }));
    await next();
    server.announce(["three.test|10.0.0.3|11211"]);
    expect(await next()).toEqual([{ host: "three.test", port: 11211 }]);
    const received = server.log.received().toString("latin1");
    expect(received.replaceAll("config get cluster\r\n", "")).toBe("");
    await until(() => server.connections === 0);
  });

  test("may be a URL's, with one server", async () => {
    const { address } = await endpoint();
    expect(await firstOf(`memcached://${address}`)).toEqual(HOSTS);
  });

  test("are an item's in engines that have no such command", async () => {
    await using old = await startMemcached();
    await using client = new Client(old.address);
    await client.set("AmazonElastiCache:cluster", `12\n${MEMBERS.join(" ")}\n`);
    expect(await firstOf(old.address)).toEqual(HOSTS);
  });
});

describe("a list counts when its version has grown", () => {
  const set = (version: number, members: string) => {
    const data = `${version}\n${members}\n`;
    return `CONFIG cluster 0 ${data.length}\r\n${data}\r\nEND\r\n`;
  };

  test("and not with the same version, nor with an older one", async () => {
    const replies = [set(5, MEMBERS[0]!), set(5, MEMBERS[1]!), set(4, MEMBERS[1]!)];
    replies.push(set(7, MEMBERS.join(" ")));
    await using server = await ScriptedServer.start((connection, n) =>
      connection.onLine(() => connection.send(replies[Math.min(n, replies.length) - 1]!)),
    );
    const next = listsOf(elasticache(server.address, { intervalMs: 30 }));
    expect(await next()).toEqual(HOSTS.slice(0, 1));
    expect(await next()).toEqual(HOSTS);
    expect(server.connections).toHaveLength(4);
  });

  test("unless an older one stands, as that of a cluster made anew", async () => {
    await using server = await ScriptedServer.start((connection, n) =>
      connection.onLine(() => connection.send(n === 1 ? set(9, MEMBERS[0]!) : set(1, MEMBERS[1]!))),
    );
    const next = listsOf(elasticache(server.address, { intervalMs: 30 }));
    expect(await next()).toEqual(HOSTS.slice(0, 1));
    expect(await next()).toEqual(HOSTS.slice(1));
    expect(server.connections.length).toBeGreaterThan(2);
  });

  test("an older one counts from when it was heard again, if a newer one came meanwhile", async () => {
    const replies = [set(5, MEMBERS[0]!), set(4, MEMBERS[1]!), set(6, MEMBERS[1]!)];
    replies.push(set(5, MEMBERS[0]!), set(7, MEMBERS.join(" ")));
    await using server = await ScriptedServer.start((connection, n) =>
      // The newer one comes when the older one before it would have stood for long enough.
      connection.onLine(() =>
        setTimeout(() => connection.send(replies[n - 1]!), n === 3 ? 150 : 0),
      ),
    );
    const next = listsOf(elasticache(server.address, { intervalMs: 30 }));
    for (const expected of [HOSTS.slice(0, 1), HOSTS.slice(1), HOSTS]) {
      expect(await next()).toEqual(expected);
    }
    expect(server.connections).toHaveLength(5);
  });

  test("which a source remembers from one iteration to the next", async () => {
    const replies = [set(5, MEMBERS[0]!), set(4, MEMBERS[1]!)];
    await using server = await ScriptedServer.start((connection, n) =>
      connection.onLine(() => connection.send(replies[n - 1]!)),
    );
    const source = elasticache(server.address);
    expect(await listsOf(source)()).toEqual(HOSTS.slice(0, 1));
    expect(await listsOf(source)()).toEqual(HOSTS.slice(0, 1));
  });
});

describe("an answer that is none fails", () => {
  const block = (data: string, length = data.length) => {
    return `CONFIG cluster 0 ${length}\r\n${data}\r\nEND\r\n`;
  };

  test.each<[string, string]>([
    ["no version", block(`${MEMBERS.join(" ")}\n`)],
    ["a version that is no number", block(`x1\n${MEMBERS[0]}\n`)],
    ["a version alone", block("12\n")],
    ["no server", block("12\n\n")],
    ["nothing", block("")],
    ["two fields", block("12\none.test|11211\n")],
    ["four fields", block("12\none.test|10.0.0.1|11211|x\n")],
    ["neither name nor address", block("12\n||11211\n")],
    ["no port", block("12\none.test|10.0.0.1|\n")],
    ["the port 0", block("12\none.test|10.0.0.1|0\n")],
    ["a port over 65535", block("12\none.test|10.0.0.1|65536\n")],
    ["one good and one bad server", block(`12\n${MEMBERS[0]} two.test\n`)],
    ["a third line", block(`12\n${MEMBERS[0]}\n${MEMBERS[1]}\n`)],
    ["a length that is too short", block(`12\n${MEMBERS[0]}\n`, 5)],
    ["an error line", "SERVER_ERROR out of memory\r\n"],
    ["a long line", `${"x".repeat(5000)}\r\n`],
    ["another line", "HTTP/1.1 400 Bad Request\r\n"],
    ["an announced length beyond all measure", "CONFIG cluster 0 99999999999\r\n"],
    ["a line without an end", "x".repeat(300_000)],
  ])("%s", async (_, reply) => {
    await using server = await ScriptedServer.start(answers(reply));
    const error = await errorOf(firstOf(server.address));
    expect(error).toBeInstanceOf(ProtocolError);
    expect(error).toMatchObject({ server: server.address });
    expect((error as Error).message.length).toBeLessThan(200);
  });

  test("by a deadline if it does not come to its end", async () => {
    for (const reply of ["", "CONFIG", block(`12\n${MEMBERS[0]}\n`, 500)]) {
      await using server = await ScriptedServer.start(answers(reply));
      const error = await errorOf(firstOf(server.address, { timeoutMs: 50 }));
      expect(error).toBeInstanceOf(TimeoutError);
    }
  });

  test("and one that nobody waits for any more is not waited for", async () => {
    await using server = await ScriptedServer.start();
    const source = elasticache(server.address, { timeoutMs: 600_000 });
    const iterator = source[Symbol.asyncIterator]();
    const coming = iterator.next();
    await until(() => server.received === "config get cluster\r\n");
    const gone = new Promise((resolve) => server.connections[0]?.socket.once("close", resolve));
    await iterator.return?.();
    expect(await coming).toEqual({ done: true, value: undefined });
    await gone;
  });

  test("if the endpoint hangs up, or is not there", async () => {
    await using server = await ScriptedServer.start((connection) =>
      connection.onLine(() => connection.socket.end("CONFIG cluster 0 99\r\n12\nhalf")),
    );
    expect(await errorOf(firstOf(server.address))).toBeInstanceOf(ConnectError);
    await server[Symbol.asyncDispose]();
    expect(await errorOf(firstOf(server.address))).toMatchObject({
      code: "ERR_MEMCACHED_CONNECT",
      cause: { code: "ECONNREFUSED" },
    });
  });

  test("with what each address of a name failed with", async () => {
    const addresses = ["127.0.0.1", "127.0.0.2"].map((address) => ({ address, family: 4 }));
    const lookup: LookupFunction = (_name, _options, found) => found(null, addresses);
    const { message } = (await errorOf(firstOf("cluster.test:1", { socket: { lookup } }))) as Error;
    for (const { address } of addresses) expect(message).toContain(`ECONNREFUSED ${address}:1`);
  });

  test("at a memcached that is no endpoint", async () => {
    await using plain = await startMemcached();
    const error = await errorOf(firstOf(plain.address));
    expect(error).toBeInstanceOf(NotSupportedError);
  });

  test("wherever it is cut, and never earlier than it is complete", () => {
    const answer = block(`12\n${MEMBERS.join(" ")}\n`);
    expect(answerLength(`${answer}more`)).toBe(answer.length);
    for (let end = 0; end < answer.length; end++) {
      const length = answerLength(answer.slice(0, end));
      expect(length === undefined || length > end).toBe(true);
      expect(() => parseClusterList(answer.slice(0, end), "x")).toThrow(ProtocolError);
    }
  });

  test("blanks without end are looked at once", () => {
    // A pattern that tries all ways to divide them takes half a minute.
    const answer = block(`12\n${" ".repeat(200_000)}\nx\n`);
    expect(() => parseClusterList(answer, "x")).toThrow(ProtocolError);
  });

  test("whatever the bytes are: a list or a ProtocolError", () => {
    const piece = fc.constantFrom(
      "12",
      "\n",
      "\r\n",
      "|",
      " ",
      "host",
      "1",
      "0",
      "CONFIG cluster 0 9",
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof(piece, fc.string({ maxLength: 3 })), { maxLength: 12 }),
        (pieces) => {
          try {
            const { members } = parseClusterList(block(pieces.join("")), "x");
            expect(members.length).toBeGreaterThan(0);
            for (const { host, ip, port } of members) {
              expect(host + ip).not.toBe("");
              expect(port).toBeGreaterThan(0);
            }
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("who asks", () => {
  const credentials = { username: "user", password: "secret" };

  test("is said first, in the text protocol's own way", async () => {
    const { address } = await endpoint({ asciiAuth: { user: "secret" } });
    expect(await firstOf(address, credentials)).toEqual(HOSTS);
    expect(await firstOf(address, { credentials: async () => credentials })).toEqual(HOSTS);
    expect(await firstOf(`memcached://user:secret@${address}`)).toEqual(HOSTS);
  });

  test("is asked for while the endpoint hangs up, which is told at once", async () => {
    await using server = await ScriptedServer.start((connection) => connection.socket.end());
    const asking = async () => {
      await until(() => server.connections[0]?.socket.destroyed === true);
      return credentials;
    };
    const options = { credentials: asking, timeoutMs: 600_000 };
    expect(await errorOf(firstOf(server.address, options))).toBeInstanceOf(ConnectError);
  });

  test("is asked for no longer than the question may take, or somebody wants to know", async () => {
    await using server = await ScriptedServer.start();
    const credentials = () => new Promise<never>(() => {});
    const late = await errorOf(firstOf(server.address, { credentials, timeoutMs: 50 }));
    expect(late).toBeInstanceOf(TimeoutError);

    const source = elasticache(server.address, { credentials, timeoutMs: 600_000 });
    const iterator = source[Symbol.asyncIterator]();
    const coming = iterator.next();
    await until(() => server.connections.length === 2);
    await iterator.return?.();
    expect(await coming).toEqual({ done: true, value: undefined });
  });

  test("is an AuthError where it is wrong or missing, that shows no password", async () => {
    const { address } = await endpoint({ asciiAuth: { user: "secret" } });
    for (const options of [{}, { username: "user", password: "wr0ng" }]) {
      const error = await errorOf(firstOf(address, options));
      expect(error).toBeInstanceOf(AuthError);
      expect(String(error)).not.toContain("wr0ng");
      expect(String(error)).toMatch(
        "username" in options ? /authentication failure/ : /asks for a username/,
      );
    }
  });

  test("is not said without TLS over a network if that is refused", () => {
    const options = { ...credentials, plaintextCredentials: "refuse" } as const;
    expect(() => elasticache("cluster.test:11211", options)).toThrow("without TLS");
  });
});

describe("over TLS", () => {
  let authority: Authority;
  let node: Memcached;
  beforeAll(async () => {
    authority = new Authority("authority of the cluster");
    const { certFile, keyFile } = authority.issue("node", ["DNS:localhost"]);
    const tls = `ssl_chain_cert=${certFile},ssl_key=${keyFile}`;
    node = await startMemcached({ args: ["-Z", "-o", tls] });
  });
  afterAll(async () => {
    await node[Symbol.asyncDispose]();
    authority[Symbol.dispose]();
  });

  test("certificates are for names: the endpoint's, and the servers' by default", async () => {
    const { cert, key } = authority.issue("endpoint", ["DNS:localhost"]);
    const members = [`localhost|127.0.0.1|${node.port}`];
    const server = await endpoint({ tls: { cert, key }, cluster: members });
    const name = `localhost:${server.port}`;
    const tls = { ca: authority.cert };

    await using client = await Client.discover(elasticache(name, { tls }), { tls });
    expect(client.servers.map(({ host }) => host)).toEqual(["localhost"]);
    expect(await client.set("k", "by name")).toBe(true);

    await using byAddress = await Client.discover(elasticache(name, { tls, use: "ip" }), { tls });
    await expect(byAddress.set("k", 1)).rejects.toMatchObject({
      cause: { code: "ERR_TLS_CERT_ALTNAME_INVALID" },
    });
    const error = await errorOf(firstOf(server.address, { tls }));
    expect(error).toMatchObject({ cause: { code: "ERR_TLS_CERT_ALTNAME_INVALID" } });
    expect(await errorOf(firstOf(name))).toBeInstanceOf(ConnectError);
  });
});

describe("what is refused before anybody is asked", () => {
  test.each<[unknown, object, string]>([
    [["a:1"], {}, "takes an object of options, not an array"],
    ["", {}, "is empty"],
    ["a:1,b:2", {}, "one discovery endpoint"],
    ["memcached://a:1,b:2", {}, "one discovery endpoint"],
    ["a:1", { use: "name" }, 'use must be "host" or "ip"'],
    ["a:1", { intervalMs: 0 }, "intervalMs"],
    ["a:1", { timeoutMs: "1" }, "timeoutMs"],
    ["a:1", { interval: 1 }, 'did you mean "intervalMs"'],
    ["a:1", { username: "user" }, "username and password"],
    ["a:1", { binary: true }, "has no option"],
  ])("%j, %j", (address, options, message) => {
    expect(() => elasticache(address as string, options)).toThrow(OptionError);
    expect(() => elasticache(address as string, options)).toThrow(message);
  });
});

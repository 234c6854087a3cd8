import {
  Client,
  MemcachedError,
  NetworkError,
  NoServerError,
  OptionError,
  type ServerOptions,
} from "tslibmc";
import { type AddressResolver, dnsAddresses, dnsService } from "tslibmc/discovery";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { resolving } from "../../src/discovery/resolving.js";
import { NameServer } from "../support/nameserver.js";
import { errorOf } from "../support/outcome.js";
import { until } from "../support/until.js";
import { listsOf } from "./lists.js";

const NAME = "memcached.test";

let dns: NameServer;
beforeEach(async () => {
  dns = await NameServer.start();
});
afterEach(() => dns[Symbol.asyncDispose]());

const often = () => ({ resolver: dns.resolver(), intervalMs: 20 });
const hosts = (list: unknown) =>
  (list as ServerOptions[]).map((server) => Reflect.get(server, "host"));

describe("dnsAddresses", () => {
  test("has every address of either kind, in an order of its own", async () => {
    dns.zones.set(NAME, { addresses: ["10.0.0.9", "10.0.0.10", "2001:db8::7", "10.0.0.1"] });
    const next = listsOf(dnsAddresses(NAME, { ...often(), port: 11311 }));
    expect(await next()).toEqual([
      { host: "10.0.0.1", port: 11311 },
      { host: "10.0.0.10", port: 11311 },
      { host: "10.0.0.9", port: 11311 },
      { host: "2001:db8::7", port: 11311 },
    ]);
  });

  test.each([1, 65_535])("takes the port %i", async (port) => {
    dns.zones.set(NAME, { addresses: ["10.0.0.1"] });
    expect(await listsOf(dnsAddresses(NAME, { ...often(), port }))()).toEqual([
      { host: "10.0.0.1", port },
    ]);
  });

  test("tells changes, and no turns of the same addresses", async () => {
    dns.zones.set(NAME, { addresses: ["10.0.0.1", "10.0.0.2"] });
    const next = listsOf(dnsAddresses(NAME, often()));
    expect(hosts(await next())).toEqual(["10.0.0.1", "10.0.0.2"]);
    dns.zones.set(NAME, { addresses: ["10.0.0.2", "10.0.0.1"] });
    const coming = next();
    const asked = dns.questions;
    while (dns.questions < asked + 4) await new Promise((resolve) => setTimeout(resolve, 5));
    dns.zones.set(NAME, { addresses: ["10.0.0.3", "10.0.0.1"] });
    expect(hosts(await coming)).toEqual(["10.0.0.1", "10.0.0.3"]);
  });

  test.each(["A", "AAAA"] as const)(
    "is all or nothing: no answer for %s is a failure",
    async (type) => {
      dns.zones.set(NAME, { addresses: ["10.0.0.1", "2001:db8::7"] });
      for (const how of ["SERVFAIL", "silence"] as const) {
        dns.failing.set(type, how);
        const error = await errorOf(listsOf(dnsAddresses(NAME, often()))());
        expect(error).toBeInstanceOf(NetworkError);
        expect(error).toMatchObject({ message: expect.stringContaining(NAME) });
      }
    },
  );

  test("takes a name server's word that there is none of a kind, and not of both", async () => {
    dns.zones.set(NAME, { addresses: ["10.0.0.1"] });
    dns.failing.set("AAAA", "NXDOMAIN");
    expect(hosts(await listsOf(dnsAddresses(NAME, often()))())).toEqual(["10.0.0.1"]);
    dns.failing.set("A", "NXDOMAIN");
    expect(await errorOf(listsOf(dnsAddresses(NAME, often()))())).toBeInstanceOf(NoServerError);
    dns.failing.clear();
    dns.zones.set(NAME, {});
    expect(await errorOf(listsOf(dnsAddresses(NAME, often()))())).toBeInstanceOf(NoServerError);
  });

  test("asks the machine's own servers without a resolver, until the iteration ends", async () => {
    const iterator = dnsAddresses("name.invalid")[Symbol.asyncIterator]();
    const first = iterator.next().catch((error: unknown) => error);
    expect(await iterator.return?.()).toEqual({ done: true, value: undefined });
    expect(await first).toEqual({ done: true, value: undefined });
  });

  test.each<[unknown, object, string]>([
    ["", {}, "The name to ask DNS for"],
    ["a b", {}, "The name to ask DNS for"],
    ["host:11211", {}, "The name to ask DNS for"],
    [undefined, {}, "The name to ask DNS for"],
    [NAME, { interval: 1 }, 'did you mean "intervalMs"'],
    [NAME, { intervalMs: 0 }, "intervalMs"],
    [NAME, { port: 0 }, "port"],
    [NAME, { port: 65_536 }, "port"],
    [NAME, { resolver: {} }, "resolver has no resolve4"],
    [NAME, { resolver: null }, "resolver has no resolve4"],
  ])("refuses %j with %j", (name, options, message) => {
    expect(() => dnsAddresses(name as string, options)).toThrow(message);
  });
});

describe("dnsService", () => {
  const record = (name: string, more: object = {}) => {
    return { name, port: 11211, priority: 0, weight: 0, ...more };
  };

  test("has each record's own port, in an order of its own", async () => {
    dns.zones.set(NAME, {
      services: [record("b.test"), record("a.test", { port: 11212 }), record("a.test")],
    });
    expect(await listsOf(dnsService(NAME, often()))()).toEqual([
      { host: "a.test", port: 11211, weight: 1 },
      { host: "a.test", port: 11212, weight: 1 },
      { host: "b.test", port: 11211, weight: 1 },
    ]);
  });

  test("has weights in their lowest terms, so that equal ones are none", async () => {
    const weights = async (...given: number[]) => {
      const services = given.map((weight, i) => record(`${i}.test`, { weight }));
      dns.zones.set(NAME, { services });
      const list = await listsOf(dnsService(NAME, often()))();
      return (list as ServerOptions[]).map(({ weight }) => weight);
    };
    expect(await weights(33, 33, 33)).toEqual([1, 1, 1]);
    expect(await weights(10, 20, 50)).toEqual([1, 2, 5]);
    expect(await weights(0, 7)).toEqual([1, 7]);
    expect(await weights(65535, 65534)).toEqual([65535, 65534]);
  });

  test("has the servers of the first priority, and others only without them", async () => {
    const spare = record("spare.test", { priority: 20 });
    dns.zones.set(NAME, { services: [spare, record("a.test", { priority: 10 })] });
    const next = listsOf(dnsService(NAME, often()));
    expect(hosts(await next())).toEqual(["a.test"]);
    dns.zones.set(NAME, { services: [spare] });
    expect(hosts(await next())).toEqual(["spare.test"]);
  });

  test("fails where there is no such service", async () => {
    for (const services of [[], [record(".")]]) {
      dns.zones.set(NAME, { services });
      expect(await errorOf(listsOf(dnsService(NAME, often()))())).toBeInstanceOf(NoServerError);
    }
    const root = { resolveSrv: async () => [record(".")] };
    expect(await errorOf(listsOf(dnsService(NAME, { resolver: root }))())).toBeInstanceOf(
      NoServerError,
    );
    dns.failing.set("SRV", "SERVFAIL");
    expect(await errorOf(listsOf(dnsService(NAME, often()))())).toBeInstanceOf(NetworkError);
  });

  test("refuses what is no name of a service, and what is no option", () => {
    expect(() => dnsService("a b")).toThrow("The name to ask DNS for");
    expect(() => dnsService(NAME, { port: 1 } as object)).toThrow(OptionError);
    expect(() => dnsService(NAME, { resolver: dns as never })).toThrow(
      "resolver has no resolveSrv",
    );
  });
});

test("a question that nobody waits for any more is over", async () => {
  const ending = new AbortController();
  const resolver = resolving(ending.signal);
  resolver.setServers(dns.resolver().getServers());
  dns.failing.set("A", "silence");
  const answer = errorOf(resolver.resolve4(NAME));
  await until(() => dns.questions > 0);
  ending.abort();
  expect(await answer).toMatchObject({ code: "ECANCELLED" });
});

test.each([
  ["dnsAddresses", dnsAddresses],
  ["dnsService", dnsService],
] as const)("%s asks the machine's own servers without a resolver", async (_name, source) => {
  const error = await errorOf(listsOf(source("name.invalid"))());
  expect(error).toBeInstanceOf(MemcachedError); // there is no such name, or nobody to ask
  expect(String(error)).toContain("name.invalid");
});

test("a resolver of one's own is asked, whatever it is", async () => {
  const resolver: AddressResolver = {
    resolve4: async (name) => (name === "any" ? ["192.0.2.1"] : []),
    resolve6: async () => [],
  };
  await using client = await Client.discover(dnsAddresses("any", { resolver }));
  expect(client.servers.map(({ name }) => name)).toEqual(["192.0.2.1:11211"]);
});

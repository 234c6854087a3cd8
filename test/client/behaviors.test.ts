import { inspect } from "node:util";
import fc from "fast-check";
import {
  type Behaviors,
  Client,
  type ClientOptions,
  OptionError,
  type ServerOptions,
} from "tslibmc";
import { describe, expect, test, vi } from "vitest";
import { keysOf, type PylibmcCase, serversOf, vectors } from "../ring/vectors.js";
import { provokes, provoking } from "../support/warnings.js";

const THREE = ["10.0.0.1:11211", "10.0.0.2:11212", "10.0.0.3:11213"];

/** A client without types, as JavaScript has it. */
const untyped = (client: Client) => client.behaviors as unknown as Record<string, unknown>;

describe("the object", () => {
  test("reads as plain data: keys, spread, JSON, inspect, await", async () => {
    const { behaviors } = new Client(THREE);
    expect(Object.keys(behaviors)).toHaveLength(31);
    expect({ ...behaviors }.hash).toBe("default");
    expect(JSON.parse(JSON.stringify(behaviors))).toEqual({ ...behaviors });
    expect(inspect(behaviors)).toContain("distribution: 'modula'");
    expect(await behaviors).toBe(behaviors);
    expect("ketama" in behaviors).toBe(true);
    expect("poll timeout" in behaviors).toBe(true);
  });

  test("is one object for the client's life", () => {
    const client = new Client(THREE);
    expect(client.behaviors).toBe(client.behaviors);
    expect(new Client(THREE).behaviors).not.toBe(client.behaviors);
  });

  test("the names with blanks of early pylibmc mean the same", () => {
    const client = new Client(THREE, { behaviors: { "connect timeout": 50, "sort hosts": 1 } });
    expect(client.behaviors).toMatchObject({ connect_timeout: 50, _sort_hosts: true });
    untyped(client)["poll timeout"] = 70;
    expect([client.behaviors._poll_timeout, untyped(client)["poll timeout"]]).toEqual([70, 70]);
    untyped(client)["_retry_timeout"] = 9;
    expect(client.behaviors.retry_timeout).toBe(9);
  });

  test("a setter of several sets those and leaves the others", () => {
    const client = new Client(THREE, { behaviors: { hash: "crc" } });
    client.behaviors = { ketama: true, failure_limit: 2 };
    expect(client.behaviors).toMatchObject({
      hash: "crc",
      distribution: "consistent ketama",
      failure_limit: 2,
    });
    Object.assign(client.behaviors, { hash: "md5", dead_timeout: 30 });
    expect(client.behaviors).toMatchObject({ hash: "md5", dead_timeout: 30, failure_limit: 2 });
  });
});

describe("refused", () => {
  const refused: [string, string, unknown, RegExp][] = [
    ["a misspelt name", "hsah", "md5", /no option "hsah"; did you mean "hash"/],
    ["an unknown name", "colour", "red", /no option "colour"$/],
    ["an unknown hash", "hash", "md6", /hash must be "default", "md5"/],
    ["an unknown distribution", "distribution", "ketama", /distribution must be "modula"/],
    ["text for a switch", "ketama", "yes", /ketama must be true or false, not "yes"/],
    ["a fraction for a switch", "ketama", 0.5, /ketama must be true or false/],
    ["no time", "_poll_timeout", 0, /_poll_timeout must be a number of milliseconds above 0/],
    ["a negative time", "connect_timeout", -1, /connect_timeout must be a number of milli/],
    ["text for a number", "retry_timeout", "2", /retry_timeout must be a whole number from 0/],
    ["no failures at all", "failure_limit", 0, /failure_limit must be a whole number from 1/],
    ["a fraction", "num_replicas", 1.5, /num_replicas must be a whole number/],
    ["NaN", "dead_timeout", Number.NaN, /dead_timeout must be a whole number/],
    ["an ancient pickle", "pickle_protocol", 1, /pickle_protocol must be 2 to 5/],
    ["a number for a prefix", "namespace", 5, /namespace must be a string or a Uint8Array/],
    ["a wrong value of what does nothing", "no_block", "on", /no_block must be true or fal/],
    ["undefined", "hash", undefined, /hash must be set to a value, not undefined/],
  ];
  test.each(refused)("%s, set on a client", (_, name, value, says) => {
    const client = new Client(THREE);
    const before = { ...client.behaviors };
    expect(() => {
      untyped(client)[name] = value;
    }).toThrow(says);
    expect(() => {
      untyped(client)[name] = value;
    }).toThrow(OptionError);
    expect({ ...client.behaviors }).toEqual(before);
  });

  test.each(refused.slice(0, -1))("%s, given to a new client", (_, name, value, says) => {
    expect(() => new Client(THREE, { behaviors: { [name]: value } })).toThrow(says);
  });

  test("one of several leaves all as they were", () => {
    const client = new Client(THREE);
    expect(() => {
      client.behaviors = { ketama: true, failure_limit: 0 };
    }).toThrow(OptionError);
    expect(() => {
      client.behaviors = { ketama: true, namespace: "a b" };
    }).toThrow(/byte 0x20/);
    expect(client.behaviors).toMatchObject({ ketama: false, namespace: "" });
  });

  test("reading a misspelt name, and deleting one", () => {
    const behaviors = untyped(new Client(THREE));
    expect(() => behaviors["distributoin"]).toThrow(/did you mean "distribution"/);
    expect(() => delete behaviors["hash"]).toThrow(/cannot be deleted/);
  });

  test("one thing said twice", () => {
    for (const [options, says] of [
      [
        { timeoutMs: 5, behaviors: { _poll_timeout: 5 } },
        /timeoutMs and the behavior _poll_timeou/,
      ],
      [{ keyPrefix: "a", behaviors: { namespace: "b" } }, /keyPrefix and the behavior namespace/],
      [{ behaviors: { _poll_timeout: 5, "poll timeout": 6 } }, /_poll_timeout is given twice/],
      [{ placement: "dalli", behaviors: { hash: "md5" } }, /placement "dalli" already chooses/],
    ] as const) {
      expect(() => new Client(THREE, options)).toThrow(says);
    }
    const client = new Client(THREE, { placement: "dalli" });
    expect(() => {
      client.behaviors.hash = "md5";
    }).toThrow(/already chooses/);
    expect(client.behaviors).toMatchObject({ hash: undefined, distribution: undefined });
  });
});

describe("what is read is what is in effect", () => {
  test("a choice shows in the names that it implies", () => {
    const { behaviors } = new Client(THREE);
    const seen = () => [
      behaviors.hash,
      behaviors.distribution,
      behaviors.ketama,
      behaviors.ketama_weighted,
    ];
    behaviors.ketama = true;
    expect(seen()).toEqual(["default", "consistent ketama", true, false]);
    behaviors.ketama_weighted = true;
    expect(seen()).toEqual(["md5", "consistent weighted", true, true]);
    behaviors.distribution = "modula";
    expect(seen()).toEqual(["md5", "modula", false, false]);
    behaviors.ketama = true;
    expect(seen()).toEqual(["default", "consistent ketama", true, false]);
    behaviors.hash = "fnv1a_32";
    behaviors.ketama = false;
    expect(seen()).toEqual(["fnv1a_32", "modula", false, false]);
    behaviors.ketama_weighted = false; // on, as in libmemcached
    expect(seen()).toEqual(["fnv1a_32", "consistent ketama", true, false]);
  });

  test("options are behaviors under another name", () => {
    const { behaviors } = new Client(THREE, {
      timeoutMs: 11,
      connectTimeoutMs: 12,
      keyPrefix: "p:",
      pickle: { protocol: 2 },
      socket: { noDelay: false },
    });
    expect(behaviors).toMatchObject({
      _poll_timeout: 11,
      connect_timeout: 12,
      namespace: "p:",
      pickle_protocol: 2,
      tcp_nodelay: false,
      tcp_keepalive: true,
    });
    behaviors.tcp_nodelay = true;
    expect(behaviors.tcp_nodelay).toBe(true);
  });

  test("a preset that hashes the prefix says so", () => {
    const prefixed = (placement: "dalli" | "pylibmc") =>
      new Client(THREE, { placement }).behaviors._hash_with_prefix_key;
    expect([prefixed("dalli"), prefixed("pylibmc")]).toEqual([true, false]);
  });

  test("auto_eject and remove_failed are one switch, and any number turns it on", () => {
    using _ = provoking(/^failover: "rehash" .* moves no keys/);
    const { behaviors } = new Client(THREE, { behaviors: { remove_failed: 4 } });
    expect([behaviors.remove_failed, behaviors.auto_eject]).toEqual([true, true]);
    behaviors.auto_eject = false;
    expect(behaviors.remove_failed).toBe(false);
  });
});

describe("warnings", () => {
  /** A client in a registry of modules of its own, which has not warned yet. */
  async function fresh(
    options: ClientOptions = {},
  ): Promise<{ client: Client; warnings: string[] }> {
    vi.resetModules();
    const { Client: Fresh } = await import("../../src/client/client.js");
    const warnings: string[] = [];
    vi.spyOn(process, "emitWarning").mockImplementation((warning) => {
      warnings.push(String(warning));
    });
    return { client: new Fresh(THREE, options), warnings };
  }

  const fixed: readonly (readonly [keyof Behaviors, unknown])[] = [
    ["no_block", false],
    ["ketama_hash", "md5"],
    ["cas", false],
    ["verify_keys", false],
    ["send_timeout", 200],
    ["receive_timeout", 200],
    ["_io_msg_watermark", 1],
    ["_io_bytes_watermark", 1],
    ["_io_key_prefetch", 1],
    ["_socket_send_size", 4096],
    ["_socket_recv_size", 4096],
  ];

  test("what does nothing says so once, and stays what it is", async () => {
    const { client, warnings } = await fresh();
    try {
      for (const [name, value] of fixed) {
        const before = client.behaviors[name];
        untyped(client)[name] = value;
        untyped(client)[name] = value;
        expect(client.behaviors[name]).toBe(before);
      }
      untyped(client)["cache lookups"] = true;
      const names = warnings.map((text) => /behavior ([\w ]+) has no effect: ./.exec(text)?.[1]);
      expect(names).toEqual([...fixed.map(([name]) => name), "cache lookups"]);
    } finally {
      vi.restoreAllMocks();
    }
  });

  test("what has an effect, and what is so anyway, is silent", async () => {
    const { client, warnings } = await fresh();
    try {
      client.behaviors = { ...client.behaviors };
      for (const [name] of fixed) untyped(client)[name] = client.behaviors[name];
      client.behaviors = { num_replicas: 1, auto_eject: true, dead_timeout: 3, hash: "md5" };
      expect(warnings).toEqual([]);
    } finally {
      vi.restoreAllMocks();
    }
  });

  test.each<[ClientOptions, RegExp | undefined]>([
    [{ failover: "rehash" }, /auto_eject\) moves no keys .* set the behavior ketama/],
    [{ behaviors: { auto_eject: true, distribution: "virtual bucket" } }, /moves no keys/],
    [{ behaviors: { auto_eject: true, ketama: true } }, undefined],
    [{ behaviors: { auto_eject: true, distribution: "rendezvous" } }, undefined],
    [{ behaviors: { auto_eject: true, distribution: "jump" } }, undefined],
    [{ behaviors: { auto_eject: true, num_replicas: 1 } }, undefined],
    [{ failover: "next" }, undefined],
    [{ hedge: true }, /^Reading copies .* without the behavior num_replicas$/],
    [{ readReplicas: "miss" }, /^Reading copies/],
    [{ readRepair: true, behaviors: { num_replicas: 1 } }, undefined],
  ])("a policy that can do nothing says so: %j", async (options, message) => {
    try {
      const { warnings } = await fresh(options);
      expect(warnings).toEqual(message === undefined ? [] : [expect.stringMatching(message)]);
    } finally {
      vi.restoreAllMocks();
    }
  });

  test("a hash that ketama_weighted replaces is not replaced in silence", async () => {
    const { client, warnings } = await fresh();
    try {
      client.behaviors.ketama_weighted = true;
      expect(warnings).toEqual([]);
      client.behaviors.hash = "murmur";
      expect(client.behaviors.hash).toBe("md5");
      expect(warnings).toEqual([expect.stringMatching(/hash stays md5 while ketama_weighted is/)]);
      client.behaviors.distribution = "consistent weighted";
      client.behaviors.ketama = true;
      expect(client.behaviors.hash).toBe("murmur");
    } finally {
      vi.restoreAllMocks();
    }
  });
});

describe("placement", () => {
  provokes(/^The behavior (ketama_hash|hash) |^failover: "rehash" .* moves no keys/);
  const options = (each: PylibmcCase): ServerOptions[] =>
    serversOf(each).map(({ host, port, weight }) =>
      port === 0 ? { path: host } : { host, port, weight: Math.max(1, weight) },
    );
  /** The recorded keys that can be sent, and where they went: libmemcached hashed longer ones too. */
  function sendable(each: PylibmcCase) {
    const { namespace = "" } = { ...each.behaviors, ...each.behaviors_set_after_construction };
    const keys = keysOf(each).map((key, i) => ({ key, place: each.placement[i]! }));
    return keys.filter(({ key }) => key.length + namespace.length <= 250);
  }
  const expected = (each: PylibmcCase) => sendable(each).map(({ place }) => place);
  /** No byte is too odd for the binary protocol, and nothing is sent. */
  const places = (client: Client, each: PylibmcCase) =>
    sendable(each).map(({ key }) => client.serverFor(Buffer.from(key, "latin1")).index);
  const newClient = (each: PylibmcCase) => new Client(options(each), { binary: true });

  const atConstruction = vectors.pylibmc_cases.filter(
    (each) => each.behaviors_set_after_construction === null,
  );

  test("given to the constructor, behaviors put every key where pylibmc did", () => {
    for (const each of atConstruction) {
      const behaviors = each.behaviors ?? {};
      const client = new Client(options(each), { binary: true, behaviors });
      expect(places(client, each), each.id).toEqual(expected(each));
    }
    expect(atConstruction).toHaveLength(215);
  });

  test("set on a living client they do the same, and its clone too", () => {
    for (const each of atConstruction) {
      const client = newClient(each);
      places(client, each);
      client.behaviors = each.behaviors ?? {};
      expect(places(client, each), each.id).toEqual(expected(each));
      expect(places(client.clone(), each), each.id).toEqual(expected(each));
    }
  });

  test("set one by one in any order they do the same", () => {
    const CHOICES = ["ketama", "ketama_weighted", "distribution"];
    fc.assert(
      fc.property(
        fc.constantFrom(...atConstruction),
        fc.infiniteStream(fc.nat()),
        (each, noise) => {
          const client = newClient(each);
          // Those three are one choice, of which the last counts.
          const ranked = Object.entries(each.behaviors ?? {}).map(([name, value]) => {
            const rank = CHOICES.includes(name) ? CHOICES.indexOf(name) - 3 : noise.next().value;
            return { name, value, rank };
          });
          const choices = ranked.filter(({ rank }) => rank < 0).sort((a, b) => a.rank - b.rank);
          const others = ranked.filter(({ rank }) => rank >= 0).sort((a, b) => a.rank - b.rank);
          while (choices.length + others.length > 0) {
            const from = others.length === 0 || noise.next().value % 2 === 0 ? choices : others;
            const next = (from.length > 0 ? from : others).shift()!;
            untyped(client)[next.name] = next.value;
          }
          expect(places(client, each), each.id).toEqual(expected(each));
        },
      ),
      { numRuns: 300 },
    );
  });

  test("set late they count as if given at construction, which 35 of 45 recordings bear out", () => {
    const late = vectors.pylibmc_cases.filter((each) => !atConstruction.includes(each));
    const light = (each: PylibmcCase) => options(each).map((server) => ({ ...server, weight: 1 }));
    let same = 0;
    let otherwise = 0;
    for (const each of late) {
      const behaviors = { ...each.behaviors, ...each.behaviors_set_after_construction };
      const client = newClient(each);
      client.behaviors = each.behaviors ?? {};
      client.behaviors = each.behaviors_set_after_construction ?? {};
      const ours = places(client, each);
      const first = new Client(options(each), { binary: true, behaviors });
      expect(ours, each.id).toEqual(places(first, each));
      if (ours.join() === expected(each).join()) same++;
      else {
        // What docs/behaviors.md says to do for libmemcached's own result.
        const placement = { pointHash: "default" } as const;
        const ways = [
          new Client(light(each), { binary: true, behaviors }),
          new Client(options(each), { binary: true, behaviors, placement }),
          new Client(light(each), { binary: true, behaviors, placement }),
        ];
        expect(ways.map((client) => places(client, each))).toContainEqual(expected(each));
        otherwise++;
      }
    }
    expect([late.length, same, otherwise]).toEqual([45, 35, 10]);
  });

  test("what the behaviors cannot say, the option says", () => {
    const bucketCase = vectors.libmemcached_cases.find((each) => each.bucket_map !== undefined)!;
    const servers = serversOf(bucketCase).map(({ host, port }) => ({ host, port }));
    const client = new Client(servers, {
      binary: true,
      placement: { buckets: bucketCase.bucket_map },
      behaviors: { distribution: "virtual bucket" },
    });
    const keys = keysOf(bucketCase).map((key) => Buffer.from(key, "latin1"));
    const ours = keys.map((key) => client.serverFor(key).index);
    expect(ours).toEqual(bucketCase.placement);
    expect(() => new Client(servers, { placement: { bucket: [] } as never })).toThrow(
      /no option "bucket"; did you mean "buckets"/,
    );
  });
});

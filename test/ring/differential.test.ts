import fc from "fast-check";
import { expect, it } from "vitest";
import { type HashName, hashers } from "../../src/hash/algorithms.js";
import { distributions, type LibmemcachedDistribution } from "../../src/ring/distribution.js";
import { Placement } from "../../src/ring/placement.js";
import { runPython } from "../support/python.js";

const SEED = 20260101;
const CONFIGURATIONS = 400;

const hosts = fc.oneof(
  fc.domain(),
  fc.ipV4(),
  fc.constantFrom("localhost", "Cache-A.example", "cache-a.example", "::1", "2001:db8::2"),
);

const server = fc.record({
  host: hosts,
  port: fc.oneof(fc.constant(11211), fc.integer({ min: 1, max: 65535 })),
  weight: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, fc.integer({ min: 0, max: 300 })),
});

const behaviors = fc.record(
  {
    // The build that pylibmc runs on here has no hsieh, and none of pylibmc has murmur3.
    hash: fc.constantFrom(
      ...Object.keys(hashers).filter((name) => name !== "hsieh" && name !== "murmur3"),
    ),
    ketama: fc.boolean(),
    ketama_weighted: fc.boolean(),
    distribution: fc.constantFrom(
      ...Object.keys(distributions).filter((name) => name !== "random"),
    ),
    namespace: fc.stringMatching(/^[a-z.:]{1,20}$/),
    _hash_with_prefix_key: fc.boolean(),
    _sort_hosts: fc.boolean(),
  },
  { requiredKeys: [] },
);

const cases = fc.record({
  // Of servers with one host and port it is qsort's secret which comes first when sorted.
  servers: fc.uniqueArray(server, {
    minLength: 1,
    maxLength: 30,
    selector: ({ host, port }) => `${host}:${port}`,
  }),
  behaviors,
  keys: fc.array(fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 }), {
    minLength: 50,
    maxLength: 50,
  }),
});

const specOf = ({ host, port, weight }: { host: string; port: number; weight: number }) =>
  `${host.includes(":") ? `[${host}]` : host}:${port}:${weight}`;

/** libmemcached's own positions; under _sort_hosts those are the sorted ones. */
const PLACE = `
  import pylibmc

  def place(case):
      behaviors = dict(case["behaviors"])
      if "namespace" in behaviors:
          behaviors["namespace"] = behaviors["namespace"].encode()
      client = pylibmc.Client(case["specs"], behaviors=behaviors)
      return [client.hash(key) for key in case["keys"]]

  output = [place(case) for case in input]
`;

it("places keys as the pylibmc that runs beside it, whatever the configuration", async () => {
  const sampled = fc.sample(cases, { seed: SEED, numRuns: CONFIGURATIONS });
  const asked = sampled.map(({ servers, ...rest }) => ({ ...rest, specs: servers.map(specOf) }));
  const answered = await runPython<number[][]>(PLACE, asked);

  for (const [i, { servers, behaviors, keys }] of sampled.entries()) {
    const placement = new Placement(
      {
        behaviors: {
          ...behaviors,
          hash: behaviors.hash as HashName | undefined,
          distribution: behaviors.distribution as LibmemcachedDistribution | undefined,
        },
      },
      servers,
    );
    const order = servers.map((_, position) => position);
    if (behaviors._sort_hosts === true) {
      order.sort((a, b) => {
        const [one, other] = [servers[a]!, servers[b]!];
        return (
          Buffer.compare(Buffer.from(one.host), Buffer.from(other.host)) || one.port - other.port
        );
      });
    }
    const ours = keys.map((key) => placement.locate(Buffer.from(key).toString("latin1")));
    const theirs = answered[i]!.map((number) => order[number]!);
    expect(ours, JSON.stringify(asked[i])).toEqual(theirs);
  }
});

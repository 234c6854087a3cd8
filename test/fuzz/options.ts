import fc from "fast-check";
import { Client, type ClientOptions, OptionError } from "tslibmc";

const SECRET = Buffer.alloc(32, "secret");

/** Queues in which calls wait, so that none fails. */
const QUEUES = fc.constantFrom<ClientOptions>(
  {},
  { whenQueueFull: "wait", maxQueueLength: 1 },
  { whenQueueFull: "wait", maxQueueLength: 5 },
);

const WAYS: fc.Arbitrary<ClientOptions> = fc.record(
  {
    binary: fc.boolean(),
    connections: fc.constantFrom(1, 3),
    keyPrefix: fc.constantFrom("app:", "für:"),
    encodeKeys: fc.constant("base64" as const),
    hashLongKeys: fc.boolean(),
    serializer: fc.constantFrom("json" as const, "pickle" as const, "v8" as const),
    compress: fc.constantFrom(true, { minLength: 20 }, { algorithm: "brotli" as const }),
    encryption: fc.constant({ keys: [{ id: "1", secret: SECRET }] }),
    chunk: fc.constantFrom({ size: 2_000 }, { size: 100_000 }),
    failover: fc.constantFrom("rehash" as const, "next" as const),
    hedge: fc.boolean(),
    readRepair: fc.boolean(),
    readReplicas: fc.constantFrom("failure" as const, "miss" as const),
    randomizeReplicaRead: fc.boolean(),
    behaviors: fc.record(
      {
        ketama: fc.boolean(),
        hash: fc.constantFrom("md5" as const, "crc" as const, "fnv1a_32" as const),
        num_replicas: fc.constantFrom(0, 1, 2),
        buffer_requests: fc.boolean(),
        _noreply: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ["behaviors"] },
);

/** What a client says of options that come to nothing together. */
export const POINTLESS =
  /^Reading copies .* without the behavior num_replicas|^failover: "rehash" .* moves no keys/;

/** Options that change how a call goes its way, but not what it comes to. */
export const OPTIONS: fc.Arbitrary<ClientOptions> = fc
  .tuple(QUEUES, WAYS)
  .map(([queue, ways]) => ({ ...queue, ...ways }))
  .filter(goTogether);

function goTogether(options: ClientOptions): boolean {
  try {
    new Client("127.0.0.1", options);
    return true;
  } catch (error) {
    if (error instanceof OptionError) return false;
    throw error;
  }
}

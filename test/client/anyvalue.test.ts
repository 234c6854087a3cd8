import { Client, MemcachedError, type Servers } from "tslibmc";
import { dnsAddresses, dnsService, elasticache, serverFile } from "tslibmc/discovery";
import { Migration } from "tslibmc/migration";
import { MemcachedServer } from "tslibmc/testing";
import { expect, test } from "vitest";
import { CLIENT_OPTIONS } from "../../src/client/settings/configure.js";
import { SERVER_OPTIONS } from "../../src/testing/settings.js";
import { provokes } from "../support/warnings.js";

provokes(/^Reading copies |^The credentials for a\.b:|^failover: |^The behavior /);

/**
 * Callers without types can give anything for an option, and so can a file of settings. It is
 * taken, or refused with an error of this library, never with one of the language's.
 */
const ANYTHING: readonly unknown[] = [
  ...[null, "", "x", "false", 5, -1, Number.NaN, true, 5n, Symbol("s"), () => 1],
  ...[[], [null], [{}], [[]], {}, { x: 1 }, Object.create(null)],
];

const HERE = "127.0.0.1:1";

const client = (options: object) => new Client(HERE, options);
const key = { id: "a", secret: Buffer.alloc(32) };

/** What makes something of options, and the names of those. */
const MAKERS: [string, (options: object) => unknown, readonly string[]][] = [
  ["a client", client, [...CLIENT_OPTIONS]],
  [
    "pickle",
    (pickle) => client({ serializer: "pickle", pickle }),
    ["classes", "maxDepth", "protocol", "undefined"],
  ],
  ["compress", (compress) => client({ compress }), ["minLength", "level", "algorithm"]],
  [
    "encryption",
    (given) => client({ encryption: { keys: [key], ...given } }),
    ["keys", "allowPlaintext"],
  ],
  [
    "a secret key",
    (given) => client({ encryption: { keys: [{ ...key, ...given }] } }),
    ["id", "secret"],
  ],
  [
    "placement",
    (placement) => client({ placement, behaviors: { distribution: "virtual bucket" } }),
    ["pointHash", "buckets", "chance"],
  ],
  ["a gutter", (given) => client({ failover: { servers: ["h"], ...given } }), ["servers", "ttl"]],
  ["hedge", (hedge) => client({ hedge }), ["percentile", "minDelayMs", "maxShare"]],
  ["chunk", (chunk) => client({ chunk }), ["size", "maxSize"]],
  [
    "a server",
    (given) => new Client([{ host: "h", ...given }] as Servers),
    ["host", "port", "weight", "udp", "path"],
  ],
  [
    "a migration",
    (options) => new Migration({ from: new Client("a"), to: new Client("b") }, options),
    ["reads", "strict", "ttl", "otherTimeoutMs", "progressIntervalMs"],
  ],
  ["dnsAddresses", (options) => dnsAddresses("a.b", options), ["port", "intervalMs", "resolver"]],
  ["dnsService", (options) => dnsService("a.b", options), ["intervalMs", "resolver"]],
  [
    "elasticache",
    (options) => elasticache("a.b", options),
    [
      ...["intervalMs", "timeoutMs", "use", "tls", "username", "password", "credentials"],
      ...["plaintextCredentials", "socket"],
    ],
  ],
  ["serverFile", (options) => serverFile("/none", options), ["intervalMs"]],
  [
    "an embedded server",
    (options) => MemcachedServer.start(options),
    [...Object.keys(SERVER_OPTIONS), "port", "udpPort", "faults", "log"],
  ],
];

/** What came of it, closed where it has to be; undefined if it was refused as it should. */
async function made(make: () => unknown): Promise<unknown> {
  try {
    const thing = await make();
    if (thing instanceof MemcachedServer) await thing.close();
    return "taken";
  } catch (error) {
    return error instanceof MemcachedError ? "refused" : error;
  }
}

test.each(MAKERS)(
  "anything for an option of %s is taken, or refused as ours",
  async (_, make, names) => {
    for (const name of names) {
      for (const value of ANYTHING) {
        const shown = `${name}: ${typeof value} ${JSON.stringify(value, (_, v) => (typeof v === "bigint" ? String(v) : v))}`;
        expect(["taken", "refused"], shown).toContain(await made(() => make({ [name]: value })));
      }
    }
  },
);

test.each<[string, (value: never) => unknown, readonly unknown[]]>([
  [
    "encryption.allowPlaintext",
    (allowPlaintext) => client({ encryption: { keys: [key], allowPlaintext } }),
    ["false", "", 0, 1, null],
  ],
  [
    "the id of a secret key",
    (id) => client({ encryption: { keys: [{ ...key, id }] } }),
    [undefined, null, 5, true],
  ],
  [
    "a secret",
    (secret) => client({ encryption: { keys: [{ id: "a", secret }] } }),
    [undefined, null, "x".repeat(32)],
  ],
  ["compress.minLength", (minLength) => client({ compress: { minLength } }), ["", true, null, []]],
  ["maxInflateRatio", (maxInflateRatio) => client({ maxInflateRatio }), [true, 5n, "5"]],
  [
    "pickle.undefined",
    (undefined_) => client({ pickle: { undefined: undefined_ } }),
    ["None", null],
  ],
  ["pickle.classes", (classes) => client({ pickle: { classes } }), [5, "", () => 1]],
  ["placement.chance", (chance) => client({ placement: { chance } }), [0.5, null]],
  [
    "plaintextCredentials",
    (plaintextCredentials) => client({ plaintextCredentials }),
    ["no", false],
  ],
  [
    "fromConfiguration's options",
    (options) => Client.fromConfiguration("--SERVER=h", options),
    [5, null, true],
  ],
  [
    "fromConfiguration's sources",
    (sources) => Client.fromConfiguration("--SERVER=h", {}, sources),
    [null, { reed: () => "" }],
  ],
  [
    "discover's options",
    (options) => Client.discover((async function* () {})(), options),
    [5, null, true],
  ],
  [
    "the event that is not listened to any more",
    (type) => client({}).off(type, () => {}),
    ["conect", null],
  ],
])("%s is refused where it is not what it has to be", async (_, make, values) => {
  for (const value of values) {
    expect(await made(() => make(value as never)), String(value)).toBe("refused");
  }
});

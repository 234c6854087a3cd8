import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import {
  importsExist,
  importsOf,
  layersKeepTo,
  namesAreNouns,
  noCycles,
  noFileIsLongerThan,
  noIndexFromInside,
  nothingMentions,
  nothingSays,
  packagesKeepTo,
  type Rule,
  readTree,
  within,
} from "./support/architecture.js";

const root = fileURLToPath(new URL("../", import.meta.url));

/** What each layer may import beside itself: only what is below it. */
const MAY_IMPORT = {
  errors: [],
  util: ["errors"],
  protocol: ["errors", "util"],
  hash: ["errors", "util"],
  value: ["errors", "util"],
  ring: ["errors", "util", "hash"],
  operation: ["errors", "util", "protocol", "value"],
  connection: ["errors", "util", "protocol", "operation"],
  routing: ["errors", "util", "protocol", "hash", "ring", "operation", "connection"],
  commands: ["errors", "util", "protocol", "value", "operation"],
  client: [
    ...["errors", "util", "protocol", "hash", "value", "ring", "operation"],
    ...["connection", "routing", "commands"],
  ],
  index: [
    ...["errors", "util", "protocol", "hash", "value", "ring", "operation"],
    ...["connection", "routing", "commands", "client"],
  ],
  // Entry points of their own, beside the client.
  discovery: ["errors", "util", "protocol", "connection", "client"],
  migration: ["errors", "util", "protocol", "value", "operation", "commands", "client"],
  testing: ["errors", "util", "protocol"],
  // A program, which uses the library as anybody would.
  bin: ["errors", "testing"],
};

/** The same for the parts of `client/`, which are folders and files. */
const CLIENT_MAY_IMPORT = {
  warning: [],
  events: [],
  calls: [],
  servers: [],
  behaviors: ["warning"],
  chunks: ["calls"],
  settings: ["warning", "events", "calls", "servers", "behaviors", "chunks"],
  configuration: ["warning", "servers", "behaviors", "settings"],
  explaining: ["events", "calls", "settings"],
  membership: ["events", "calls", "servers", "settings"],
  cluster: [
    ...["events", "calls", "servers", "behaviors", "settings", "configuration"],
    ...["explaining", "membership"],
  ],
  client: ["calls", "servers", "settings", "cluster"],
  pool: ["client", "cluster"],
};

/** Layers that do no I/O, and so may use only what computes (of node:net, whether text is an address). */
const COMPUTES = /^node:(buffer|crypto|net|util|v8|zlib)$/;
const PURE = ["protocol", "hash", "ring", "value"];

const RULES: Record<string, { rule: Rule; broken: Record<string, string>; says: string[] }> = {
  "imports go down only": {
    rule: layersKeepTo(MAY_IMPORT),
    broken: {
      "util/fifo.ts": 'import type { Client } from "../client/client.js";\n',
      "commands/get.ts": 'import {\n  dial,\n} from "../connection/dial.js";\n',
      "testing/server.ts": 'export * from "../value/codec.js";\n',
      "helpers/text.ts": "export const text = 1;\n",
      "client/client.ts": 'import { Fifo } from "../util/fifo.js";\n',
    },
    says: [
      "util/fifo.ts imports client/client.ts",
      "commands/get.ts imports connection/dial.ts",
      "testing/server.ts imports value/codec.ts",
      "helpers/text.ts is in no known layer",
    ],
  },
  "so do those of the client's parts": {
    rule: within("client", layersKeepTo(CLIENT_MAY_IMPORT)),
    broken: {
      "client/calls/each.ts": 'import type { Settings } from "../settings/settings.js";\n',
      "client/helpers.ts": "export const help = 1;\n",
      "client/chunks/chunks.ts": 'import { Fifo } from "../../util/fifo.js";\n',
      "util/fifo.ts": 'import type { Client } from "../client/client.js";\n',
    },
    says: ["calls/each.ts imports settings/settings.ts", "helpers.ts is in no known layer"],
  },
  "what computes does no I/O, and nothing names other packages": {
    rule: packagesKeepTo(Object.fromEntries(PURE.map((layer) => [layer, COMPUTES]))),
    broken: {
      "protocol/wire.ts": 'import { connect } from "node:tls";\n',
      "protocol/dial.ts": 'const tls = builtin("node:tls");\n',
      "value/zlib.ts": 'const zlib = builtin("node:zlib");\n',
      "connection/dial.ts": 'import { connect } from "node:net";\nimport ms from "ms";\n',
    },
    says: [
      "protocol/wire.ts imports node:tls",
      "protocol/dial.ts imports node:tls",
      "connection/dial.ts imports ms",
    ],
  },
  "what computes opens no socket": {
    rule: nothingSays(/^import (?!\{ isIP(?:v4|v6)? \}).*"node:net"/, PURE),
    broken: {
      "ring/points.ts": 'import { isIPv6 } from "node:net";\n',
      "protocol/wire.ts": 'import { connect, isIPv6 } from "node:net";\n',
    },
    says: ['protocol/wire.ts:1 says import { connect, isIPv6 } from "node:net"'],
  },
  "what computes reads no clock and keeps no timer": {
    rule: nothingSays(
      /\bDate\.now\b|\bnew Date\(\)|\bperformance\.|\bhrtime\b|\bset(?:Timeout|Interval|Immediate)\b|\bprocess\./,
      PURE,
    ),
    broken: {
      "protocol/exptime.ts": "// Date.now() is the caller's\nconst now = Date.now();\n",
      "value/codec.ts": "setTimeout(flush, 1);\nconst at = new Date(0);\n",
      "connection/pipeline.ts": "setTimeout(sweep, 10);\n",
    },
    says: ["protocol/exptime.ts:2 says Date.now", "value/codec.ts:1 says setTimeout"],
  },
  "timers are Node's, also where the globals are a browser's": {
    rule: nothingSays(/(?<![.\w])(?:set|clear)(?:Timeout|Interval|Immediate)\(/),
    broken: {
      "routing/health.ts": "this.timer = setTimeout(probe, 1).unref();\n",
      "routing/probe.ts": "timers.setTimeout(probe, 1).unref();\nsocket.setTimeout(5);\n",
    },
    says: ["routing/health.ts:1 says setTimeout("],
  },
  "no import leads nowhere": {
    rule: importsExist,
    broken: { "a.ts": 'import { b } from "./b/c.js";\nimport "./a.js";\n' },
    says: ["a.ts imports b/c.ts, which is not there"],
  },
  "no file imports its own folder's index": {
    rule: noIndexFromInside,
    broken: {
      "testing/index.ts": 'export * from "./server.js";\n',
      "testing/text/get.ts": 'import { x } from "../index.js";\n',
      "bin/server.ts": 'import { x } from "../testing/index.js";\nimport "../index.js";\n',
    },
    says: ["testing/text/get.ts imports testing/index.ts from inside"],
  },
  "there is no import cycle": {
    rule: noCycles,
    broken: {
      "a.ts": 'import { b } from "./b.js";\n',
      "b.ts": 'import type { c } from "./c/c.js";\nimport { d } from "./d.js";\n',
      "c/c.ts": 'export type { A } from "../a.js";\n',
      "d.ts": 'import "node:net";\n',
      "e.ts": 'type E = import("./e.js").E;\n',
    },
    says: ["a.ts → b.ts → c/c.ts → a.ts", "e.ts → e.ts"],
  },
  "files are named by lower-case nouns": {
    rule: namesAreNouns(
      "util utils helper helpers type types common misc manager base impl interfaces".split(" "),
    ),
    broken: {
      "client/Client.ts": "",
      "client/client-pool.ts": "",
      "client/pool-manager.ts": "",
      "routing/types.ts": "",
      "routing/mark_dead.ts": "",
      "util/fifo.ts": "",
    },
    says: [
      "client/Client.ts",
      "client/pool-manager.ts",
      "routing/types.ts",
      "routing/mark_dead.ts",
    ],
  },
  "no file is long": {
    rule: noFileIsLongerThan(450),
    broken: { "long.ts": "x;\n".repeat(451), "short.ts": "x;\n".repeat(450) },
    says: ["long.ts has 451 lines"],
  },
  "exports have names": {
    rule: nothingSays(/^export default\b|\bas default\b/),
    broken: { "a.ts": "export default 1;\n", "b.ts": "export { b as default };\nexport { b };\n" },
    says: ["a.ts:1 says export default", "b.ts:1 says as default"],
  },
  "nothing is left to be done, and nothing is silenced": {
    rule: nothingMentions(/\b(?:TODO|FIXME|XXX|HACK)\b|@ts-(?:ignore|nocheck|expect-error)/),
    broken: { "a.ts": "// TODO: b\n// @ts-ignore\nconst many = 1;\n" },
    says: ["a.ts:1 mentions TODO", "a.ts:2 mentions @ts-ignore"],
  },
};

const src = readTree(`${root}src`, /\.ts$/);

describe.each(Object.entries(RULES))("%s", (_, { rule, broken, says }) => {
  test("in src/", () => {
    expect(src.size).toBeGreaterThan(10);
    expect(rule(src)).toEqual([]);
  });

  test("and the rule can fail", () => {
    expect(rule(new Map(Object.entries(broken)))).toEqual(says);
  });
});

describe("imports are found", () => {
  test.each([
    ['import { a } from "./a.js";', ["x/a.ts"]],
    ['import type { A, B } from "../b.js";', ["b.ts"]],
    ['import * as c from "node:net";', ["node:net"]],
    ['import "./side.js";', ["x/side.ts"]],
    ['export * from "./all.js";', ["x/all.ts"]],
    ['export type { T } from "./t.js";', ["x/t.ts"]],
    ['import {\n  a,\n  b,\n} from "./many.js";', ["x/many.ts"]],
    ['  const lazy = await import("./lazy.js");', ["x/lazy.ts"]],
    [' * import { a } from "./comment.js";', []],
    ['// await import("./comment.js");', []],
    ['export const a = "./string.js";', []],
    ['export function f() {\n  return g("./string.js");\n}', []],
  ])("%j", (source, found) => {
    expect(importsOf("x/x.ts", source)).toEqual(found);
  });
});

/** Made, fetched or recorded. */
const LEFT_OUT = new Set([
  "node_modules",
  "dist",
  "doctest",
  "coverage",
  ".git",
  "vectors",
  "results",
]);

describe("docs/architecture.md", () => {
  const page = readFileSync(`${root}docs/architecture.md`, "utf8");
  const names = new Set(page.match(/[a-z]+\/|[a-z.]+\.ts\b/g));

  test("names every folder of src/", () => {
    const folders = new Set([...src.keys()].flatMap((file) => file.match(/[a-z]+\//g) ?? []));
    expect(folders.size).toBeGreaterThan(20);
    expect([...folders].filter((folder) => !names.has(folder))).toEqual([]);
  });

  test("names no file that is not there", () => {
    const files = new Set(
      [...readTree(root, /\.ts$/, LEFT_OUT).keys()].map((file) => basename(file)),
    );
    const named = [...names].filter((name) => name.endsWith(".ts"));
    expect(named.length).toBeGreaterThan(30);
    expect(named.filter((name) => !files.has(name))).toEqual([]);
  });

  test("names no method that is not there", () => {
    const named = [...page.matchAll(/`(#\w+)` in\s+`([\w/]+\.ts)`/g)];
    expect(named.length).toBeGreaterThan(2);
    const missing = named.filter(([, method, file]) => !src.get(file!)?.includes(`${method}(`));
    expect(missing).toEqual([]);
  });
});

test("tests that stop the clock have a process of their own", () => {
  const stopping = [...readTree(`${root}test/`, /\.test\.ts$/, LEFT_OUT)].filter(([, text]) =>
    text.includes(["vi", "useFakeTimers("].join(".")),
  );
  expect(stopping.length).toBeGreaterThan(3);
  expect(stopping.map(([file]) => file).filter((file) => !/\.clock\.test\.ts$/.test(file))).toEqual(
    [],
  );
});

test("the package depends on nothing", () => {
  const { dependencies = {} } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
  expect(Object.keys(dependencies)).toEqual([]);
});

describe("no file names a place on somebody's machine", () => {
  const PLACE = /(?<![\w.:/])\/(?:home|Users|root|work|workspace|tmp\/wt)\/[\w.-]+/;

  test("in the project", () => {
    const files = readTree(
      root,
      /\.(?:ts|mjs|js|json|md|txt|sh|yml|yaml|svg|html|py)$|^run$/,
      LEFT_OUT,
    );
    expect(files.size).toBeGreaterThan(20);
    expect(nothingMentions(PLACE)(files)).toEqual([]);
  });

  test("and the rule can fail", () => {
    const places = ["home/me/x", "Users/me", "root/.cache"].map((place) => `see /${place}`);
    const urls = ["https://example.org/home/me", "tslibmc/work/a"];
    const found = nothingMentions(PLACE)(new Map([["a.md", [...places, ...urls].join("\n")]]));
    expect(found).toHaveLength(3);
  });
});

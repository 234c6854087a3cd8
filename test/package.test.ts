import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../", import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const entries = Object.keys(manifest.exports).filter((entry) => entry !== "./package.json");

/** A folder that has the package as anybody gets it: packed, unpacked into node_modules. */
let consumer: string;
let tarball: string;
let packed: { files: { path: string }[]; size: number };

beforeAll(async () => {
  consumer = mkdtempSync(join(tmpdir(), "tslibmc-package-"));
  await run(process.execPath, ["scripts/build.mjs", "--if-stale"], { cwd: root });
  const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", consumer];
  // Its cache is otherwise in the user's home, which not everybody who builds has.
  const env = { ...process.env, npm_config_cache: join(consumer, "npm") };
  const { stdout } = await run("npm", pack, { cwd: root, env });
  const [result] = JSON.parse(stdout);
  packed = result;
  tarball = join(consumer, result.filename);
  const home = join(consumer, "node_modules/tslibmc");
  mkdirSync(home, { recursive: true });
  await run("tar", ["-xzf", tarball, "-C", home, "--strip-components=1"]);
  writeFileSync(join(consumer, "package.json"), '{ "private": true }');
});

afterAll(() => rmSync(consumer, { recursive: true, force: true }));

/** What a program prints, run by Node in the consumer's folder. */
async function printedBy(source: string, type: "module" | "commonjs"): Promise<string> {
  const args = [`--input-type=${type}`, "--eval", source];
  const { stdout, stderr } = await run(process.execPath, args, { cwd: consumer });
  expect(stderr).toBe("");
  return stdout.trim();
}

test("publint has nothing to say", async () => {
  const { messages, pkg } = await publint({
    pkgDir: join(consumer, "node_modules/tslibmc"),
    pack: false,
    strict: true,
  });
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
});

test("are the types wrong? no, for any way to resolve them", async () => {
  const attw = join(root, "node_modules/@arethetypeswrong/cli/dist/index.js");
  const { stdout } = await run(process.execPath, [attw, tarball, "--format", "json"]);
  const { analysis } = JSON.parse(stdout);
  expect(analysis.problems).toEqual([]);
  expect(Object.keys(analysis.entrypoints).sort()).toEqual(["./package.json", ...entries].sort());
});

describe.each(entries)("the entry point %s", (entry) => {
  const name = join("tslibmc", entry);

  test("has the same names for import and require", async () => {
    const names = "console.log(Object.keys(it).filter((n) => n !== '__esModule').sort().join())";
    const imported = await printedBy(`import * as it from "${name}"; ${names}`, "module");
    const required = await printedBy(`const it = require("${name}"); ${names}`, "commonjs");
    expect(imported).not.toBe("");
    expect(required.replace("module.exports", "")).toBe(imported);
  });

  test("is one copy, however it is loaded", async () => {
    const source = `
      import * as imported from "${name}";
      import { createRequire } from "node:module";
      const required = createRequire(process.cwd() + "/")("${name}");
      const names = Object.keys(imported);
      console.log(names.length > 0 && names.every((n) => imported[n] === required[n]));
    `;
    expect(await printedBy(source, "module")).toBe("true");
  });
});

test("the CommonJS build runs too, for tools that do not know module-sync", async () => {
  const folder = join(consumer, "node_modules/tslibmc/dist/cjs");
  for (const entry of entries) {
    const file = join(folder, entry, "index.js");
    const source = `console.log(Object.keys(require(${JSON.stringify(file)})).length > 0)`;
    expect(await printedBy(source, "commonjs")).toBe("true");
  }
});

test("the CommonJS build names the modules that Node loads in its place, for tools that copy files", () => {
  for (const { "module-sync": loaded, require } of entries.map(
    (entry) => manifest.exports[entry],
  )) {
    const file = join(consumer, "node_modules/tslibmc", require.default);
    const [, named] = /;\(\)=>\{__dirname\+"(.+)"\};$/m.exec(readFileSync(file, "utf8"))!;
    expect(join(dirname(file), named!)).toBe(
      join(consumer, "node_modules/tslibmc", loaded.default),
    );
  }
});

test("both builds in one process know each other's errors, and no client of each other", async () => {
  const source = `
    import * as ours from "tslibmc";
    import { Migration } from "tslibmc/migration";
    import { MemcachedServer } from "tslibmc/testing";
    import { tracingChannel } from "node:diagnostics_channel";
    import { createRequire } from "node:module";
    const theirs = createRequire(process.cwd() + "/")("./node_modules/tslibmc/dist/cjs/index.js");
    const server = await MemcachedServer.start();
    const traced = [];
    tracingChannel("tslibmc:command").subscribe({ start: ({ key }) => traced.push(key) });
    const said = (call) => { try { return call(); } catch (error) { return error.message; } };
    for (const [one, other] of [[ours, theirs], [theirs, ours]]) {
      const deserialize = () => { throw new other.CacheMiss("old"); };
      const serializer = { serialize: () => ({ data: "x", flags: 64 }), deserialize };
      const client = new one.Client(server.address, { serializer });
      await client.set("k", 1);
      const error = await client.get("a b").catch((error) => error);
      console.log(await client.get("k"), error instanceof other.KeyError, traced.splice(0).join());
      console.log(said(() => new other.ClientPool(client, 1)));
      await client.close();
    }
    const client = new theirs.Client(server.address);
    console.log(said(() => new Migration({ from: client, to: client })));
    await server.close();
  `;
  const said = await printedBy(source, "module");
  const answers = "undefined true k,k";
  const pool =
    "A pool is filled with clones of a Client of its own copy of tslibmc, not of a Client";
  const migration = "A Migration needs two clients of its own copy of tslibmc, as { from, to }";
  expect(said.split("\n")).toEqual([answers, pool, answers, pool, migration]);
});

test("the CommonJS build keeps the names of its functions and classes", async () => {
  const file = join(consumer, "node_modules/tslibmc/dist/cjs/index.js");
  const source = `
    const named = Object.entries(require(${JSON.stringify(file)})).filter(([, it]) => it.name);
    console.log(named.length, named.filter(([name, it]) => it.name !== name).length);
  `;
  expect(await printedBy(source, "commonjs")).toMatch(/^[1-9]\d* 0$/);
});

test.each([
  ["node", "[]"],
  ["jsdom", '["Uint8Array", "TextDecoder", "TextEncoder", "setImmediate", "clearImmediate"]'],
])(
  "the CommonJS build works in a realm of its own, as Jest makes it for %s",
  async (environment, missing) => {
    const folder = join(consumer, "node_modules/tslibmc/dist/cjs");
    const source = `
    const { readFileSync } = require("node:fs");
    const { join, dirname } = require("node:path");
    const vm = require("node:vm");
    const { Object: _, ...globals } = Object.getOwnPropertyDescriptors(globalThis);
    const builtins = /^(?:[A-Z]\\w*Error|Array|Date|Error|Map|Math|Object|Promise|Set|Symbol|WeakMap)$/;
    const realm = vm.createContext({});
    for (const [name, it] of Object.entries(globals)) {
      if (builtins.test(name) || name === "globalThis" || ${missing}.includes(name)) continue;
      Object.defineProperty(realm, name, it);
    }
    if (${environment === "jsdom"}) {
      realm.setTimeout = (...args) => Number(setTimeout(...args)); // as in a browser
      realm.setInterval = (...args) => Number(setInterval(...args));
    }
    const loaded = new Map();
    function load(file) {
      if (loaded.has(file)) return loaded.get(file).exports;
      const module = { exports: {} };
      loaded.set(file, module);
      const code = "(function (require, module, exports) {" + readFileSync(file, "utf8") + "\\n})";
      const asked = (name) => (name.startsWith(".") ? load(join(dirname(file), name)) : require(name));
      vm.runInContext(code, realm)(asked, module, module.exports);
      return module.exports;
    }
    const { Client, ConnectError } = load(${JSON.stringify(join(folder, "index.js"))});
    const { MemcachedServer } = load(${JSON.stringify(join(folder, "testing/index.js"))});
    (async () => {
      const server = await MemcachedServer.start();
      const encryption = { keys: [{ id: "1", secret: Buffer.alloc(32, "secret") }] };
      const options = { compress: true, maxValueSize: 4e6, encryption };
      const client = new Client(server.address, options);
      await client.set("large", "x".repeat(3e6));
      console.log((await client.get("large")).length);
      await client.set(Buffer.from("\\xfc"), Buffer.from("bytes"));
      console.log(String(await client.get("\\xfc")));
      await client.disconnectAll();
      await server.close();
      const error = await client.get("large").catch((error) => error);
      console.log(error.cause instanceof Error, vm.runInContext("Error", realm) === Error);
      console.log(JSON.parse(JSON.stringify(error)).cause.message.startsWith("connect ECONNREFUSED"));
      await client.close();
    })();
  `;
    expect(await printedBy(source, "commonjs")).toBe("3000000\nbytes\ntrue false\ntrue");
  },
);

describe("the types", () => {
  /**
   * What TypeScript says of programs in the consumer's folder, declarations checked too. Like
   * TypeScript 6 and later, nobody says that it is to know Node.
   */
  async function saidOf(sources: Record<string, string>, options: object): Promise<string> {
    const folder = mkdtempSync(join(consumer, "typed-"));
    for (const [file, source] of Object.entries(sources)) {
      writeFileSync(join(folder, file), source);
    }
    const compilerOptions = {
      ...{ noEmit: true, strict: true, skipLibCheck: false, target: "es2023" },
      ...{ lib: ["es2023", "esnext.disposable"], types: [] },
      ...{ typeRoots: [join(root, "node_modules/@types")], ...options },
    };
    const configuration = { compilerOptions, files: Object.keys(sources) };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(configuration));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const checked = run(process.execPath, [tsc, "-p", folder, "--pretty", "false"]);
    const { stdout, stderr } = await checked.catch((failure) => failure);
    return stdout + stderr;
  }

  const names = entries.map((entry, i) => [join("tslibmc", entry), `it${i}`] as const);
  const imports = names.map(([name, it]) => `import * as ${it} from "${name}";\n`).join("");
  const used = `${imports}export { ${names.map(([, it]) => it).join(", ")} };\n`;

  test.each([
    { module: "nodenext", moduleResolution: "nodenext" },
    { module: "node16", moduleResolution: "node16" },
    { module: "esnext", moduleResolution: "bundler" },
  ])("refer to nothing that is not there, with $moduleResolution", async (options) => {
    expect(await saidOf({ "a.mts": used, "b.cts": used }, options)).toBe("");
  });

  test("are the same for import and require", async () => {
    const sources = {
      "a.mts":
        'import { Client } from "tslibmc";\nexport const client: Client = new Client("h");\n',
      "b.cts": `
        import { Client, KeyError } from "tslibmc";
        import a = require("./a.mjs");
        export const client: Client = a.client;
        export const wrong: number = new Client("h").get("k");
        export const error: KeyError = client;
      `,
    };
    const said = await saidOf(sources, { module: "nodenext", moduleResolution: "nodenext" });
    expect(said.match(/(?<=b\.cts\()\d+/g)).toEqual(["5", "6"]);
  });
});

test("importing it loads only what every client needs of Node", () => {
  const folder = join(consumer, "node_modules/tslibmc/dist/esm");
  const files = new Set(["index.js"]);
  const modules = new Set<string>();
  for (const file of files) {
    const source = readFileSync(join(folder, file), "utf8");
    for (const [, from] of source.matchAll(/^import\b.*"(.+)";$/gm)) {
      (from!.startsWith(".") ? files : modules).add(from!);
    }
  }
  expect(files).toEqual(new Set(["index.js", "./client.js", "./protocol.js"]));
  expect([...modules].sort()).toEqual(["node:diagnostics_channel", "node:net"]);
});

test("is not larger than it was", () => {
  expect(packed.size).toBeLessThan(286_000);
});

test("holds what is used and nothing else", () => {
  const foreign = packed.files
    .map((file) => file.path)
    .filter((path) => !/^dist\/(?:esm|cjs)\/.+\.(?:js|d\.ts)$/.test(path))
    .sort();
  const expected = ["LICENSE", "README.md", "dist/cjs/package.json", "package.json"];
  expect(foreign.filter((path) => !expected.includes(path))).toEqual([]);
  expect(foreign).toContain("LICENSE");
});

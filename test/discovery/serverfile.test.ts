import { EventEmitter } from "node:events";
import fs, {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OptionError } from "tslibmc";
import { serverFile } from "tslibmc/discovery";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { errorOf } from "../support/outcome.js";
import { listsOf } from "./lists.js";

/** So long that whoever waits for it is not waiting for the file system's word. */
const NEVER_MS = 3_600_000;

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "servers-"));
  path = join(folder, "servers");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("what a file says", () => {
  test.each<[string, unknown]>([
    ["a:1\n", ["a:1"]],
    ["a:1", ["a:1"]],
    [
      "# ours\n\n  a:1:2  # the large one\r\n[::1]:2\n/run/m#1.sock\n",
      ["a:1:2", "[::1]:2", "/run/m#1.sock"],
    ],
    ['["a:1", "b:2"]', ["a:1", "b:2"]],
    ["\ufeffa:1\n", ["a:1"]],
    ['\ufeff["a:1"]', ["a:1"]],
    [' [ {"host": "a", "port": 1, "weight": 2} ]\n', [{ host: "a", port: 1, weight: 2 }]],
  ])("%j is a list", async (text, list) => {
    writeFileSync(path, text);
    expect(await listsOf(serverFile(path))()).toEqual(list);
  });

  test.each([
    "",
    "# none\n",
    "[]",
    '["a:1"',
    '["a:1", 3]',
    '[{"hots": "a"}]',
    "a:1\nb:\n",
    "a:0\n",
  ])("%j is none", async (text) => {
    writeFileSync(path, text);
    const error = await errorOf(listsOf(serverFile(path))());
    expect(error).toBeInstanceOf(OptionError);
    expect(error).toMatchObject({ message: expect.stringContaining(path) });
  });
});

describe("changes are noticed at once", () => {
  const slowly = { intervalMs: NEVER_MS };

  test("in the file itself", async () => {
    writeFileSync(path, "a:1\n");
    const next = listsOf(serverFile(path, slowly));
    expect(await next()).toEqual(["a:1"]);
    writeFileSync(path, "a:1\nb:2\n");
    expect(await next()).toEqual(["a:1", "b:2"]);
    writeFileSync(path, "b:2\n");
    expect(await next()).toEqual(["b:2"]);
  });

  test("where another file is put in its place, again and again", async () => {
    writeFileSync(path, "a:0001\n");
    const next = listsOf(serverFile(path, slowly));
    await next();
    for (let n = 2; n < 6; n++) {
      writeFileSync(`${path}.new`, `a:000${n}\n`);
      renameSync(`${path}.new`, path);
      expect(await next()).toEqual([`a:000${n}`]);
    }
  });

  test("where the folder behind a link is another, as with a ConfigMap", async () => {
    const publish = (name: string, text: string) => {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, "servers"), text);
      symlinkSync(name, join(folder, "..data_tmp"));
      renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
    };
    publish("..2026_1", "a:1\n");
    symlinkSync(join("..data", "servers"), path);
    const next = listsOf(serverFile(path, slowly));
    expect(await next()).toEqual(["a:1"]);
    publish("..2026_2", "a:1\nb:2\n");
    expect(await next()).toEqual(["a:1", "b:2"]);
  });

  test("by reading every now and then, where a link leads elsewhere", async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), "servers-elsewhere-"));
    const target = join(elsewhere, "list");
    writeFileSync(target, "a:1\n");
    symlinkSync(target, path);
    const next = listsOf(serverFile(path, { intervalMs: 20 }));
    expect(await next()).toEqual(["a:1"]);
    writeFileSync(target, "b:2\n");
    expect(await next()).toEqual(["b:2"]);
    rmSync(elsewhere, { recursive: true });
  });
});

describe("where the file system", () => {
  /** Stands in for what watches, which the test speaks for. */
  let watcher: EventEmitter & { close(): void };
  let tell: (event: string, found: string | null) => void;
  const { watch } = fs;
  const close = vi.fn();
  beforeEach(() => {
    close.mockClear();
    watcher = Object.assign(new EventEmitter(), { close });
    fs.watch = ((_: string, __: object, listener: typeof tell) => {
      tell = listener;
      return watcher;
    }) as unknown as typeof fs.watch;
    syncBuiltinESMExports();
  });
  afterEach(() => {
    fs.watch = watch;
    syncBuiltinESMExports();
  });

  test("does not say which file has changed, it is read", async () => {
    writeFileSync(path, "a:1\n");
    const next = listsOf(serverFile(path, { intervalMs: NEVER_MS }));
    await next();
    writeFileSync(path, "b:2\n");
    const coming = next();
    tell("rename", null);
    expect(await coming).toEqual(["b:2"]);
  });

  test("watches no longer, the file is read every now and then", async () => {
    writeFileSync(path, "a:1\n");
    const next = listsOf(serverFile(path, { intervalMs: 20 }));
    await next();
    watcher.emit("error", new Error("EPERM"));
    expect(close).toHaveBeenCalledOnce();
    writeFileSync(path, "b:2\n");
    expect(await next()).toEqual(["b:2"]);
  });
});

describe("what cannot be read as a whole", () => {
  test("is a failure once, however often it is looked at", async () => {
    writeFileSync(path, '["a:1", "b');
    const source = serverFile(path, { intervalMs: 10 });
    expect(await errorOf(listsOf(source)())).toBeInstanceOf(OptionError);
    const coming = listsOf(source)();
    await new Promise((resolve) => setTimeout(resolve, 100));
    writeFileSync(path, '["a:1", "b:2"]');
    expect(await coming).toEqual(["a:1", "b:2"]);
    writeFileSync(path, '["a:1", "b');
    expect(await errorOf(listsOf(source)())).toBeInstanceOf(OptionError);
  });

  test("is a failure where it is not there, until it is", async () => {
    const source = serverFile(path, { intervalMs: NEVER_MS });
    expect(await errorOf(listsOf(source)())).toMatchObject({ cause: { code: "ENOENT" } });
    const coming = listsOf(source)();
    writeFileSync(path, "a:1\n");
    expect(await coming).toEqual(["a:1"]);
    const nowhere = serverFile(join(folder, "none", "servers"));
    expect(await errorOf(listsOf(nowhere)())).toMatchObject({ cause: { code: "ENOENT" } });
  });

  test("is waited for while it is being written", async () => {
    writeFileSync(path, "a:1\nb:2\n");
    const next = listsOf(serverFile(path, { intervalMs: NEVER_MS }));
    await next();
    const coming = next();
    const hosts: string[] = [];
    for (let n = 0; n < 15; n++) {
      hosts.push(`host-${n}:1`);
      writeFileSync(path, `${hosts.join("\n")}\n`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(await coming).toEqual(hosts);
  });
});

test("an iteration that is ended in the middle of a pause ends", async () => {
  writeFileSync(path, "a:1\n");
  const iterator = serverFile(path, { intervalMs: NEVER_MS })[Symbol.asyncIterator]();
  await iterator.next();
  const coming = iterator.next();
  await iterator.return?.();
  expect(await coming).toEqual({ done: true, value: undefined });
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
});

test.each<[unknown, object, string]>([
  ["", {}, "must be a path"],
  [7, {}, "must be a path"],
  ["servers", { intervalMs: -1 }, "intervalMs"],
  ["servers", { every: 1 }, "serverFile has no option"],
])("serverFile(%j, %j) is refused", (file, options, message) => {
  expect(() => serverFile(file as string, options)).toThrow(message);
});

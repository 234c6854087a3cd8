import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { inWords, sum } from "../scripts/vitest.mjs";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../", import.meta.url));
const scratch = join(root, "doctest/.suites/");

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** The counts of a suite that has one file, run by a vitest of its own. */
async function countsOf(source: string): Promise<unknown> {
  mkdirSync(scratch, { recursive: true });
  const folder = mkdtempSync(scratch);
  mkdirSync(join(folder, "test"));
  writeFileSync(
    join(folder, "test/suite.test.ts"),
    `import { beforeAll, test } from "vitest";\n${source}`,
  );
  const program = `
    import { runVitest } from "./scripts/vitest.mjs";
    const counts = await runVitest(["--root", ${JSON.stringify(folder)}, "--typecheck=false"]);
    console.log("\\ncounts=" + JSON.stringify(counts));
  `;
  const args = ["--input-type=module", "--eval", program];
  const { stdout } = await run(process.execPath, args, { cwd: root });
  return JSON.parse(/^counts=(.*)$/m.exec(stdout)?.[1] ?? "null");
}

describe("a suite's counts", () => {
  const passing = 'test("passes", () => {});\n';

  test.each([
    ["that passes", passing, { passed: 1, failed: 0, skipped: 0 }],
    [
      "with a failure and a skipped test",
      `${passing} test("fails", () => { throw new Error("on purpose"); }); test.skip("waits", () => {});`,
      { passed: 1, failed: 1, skipped: 1 },
    ],
    [
      "with an unhandled rejection",
      `${passing} void Promise.reject(new Error("on purpose"));`,
      { passed: 1, failed: 1, skipped: 0 },
    ],
    [
      "whose set-up fails",
      `${passing} beforeAll(() => { throw new Error("on purpose"); });`,
      { passed: 0, failed: 1, skipped: 1 },
    ],
    [
      "that cannot be loaded",
      `${passing} throw new Error("on purpose");`,
      { passed: 0, failed: 1, skipped: 0 },
    ],
    ["without a test", "", { passed: 0, failed: 1, skipped: 0 }],
  ])("%s", async (_, source, counts) => {
    expect(await countsOf(source)).toEqual(counts);
  });

  test("are added up and put in words", () => {
    const one = { passed: 1, failed: 0, skipped: 0 };
    expect(inWords(sum([one, one]))).toBe("2 passed, 0 failed");
    expect(inWords(sum([one, { passed: 0, failed: 2, skipped: 3 }]))).toBe(
      "1 passed, 2 failed, 3 skipped",
    );
  });
});

describe("a program of this project", () => {
  const matrix = (argument: string) =>
    run(process.execPath, ["scripts/matrix.mjs", argument], { cwd: root });

  test("says how it is used when it is asked for help", async () => {
    const { stdout } = await matrix("--help");
    expect(stdout).toMatch(/^npm run matrix /);
  });

  test("says what is wrong and how it is used, and fails, when it cannot do what it is told", async () => {
    await expect(matrix("--nonsense")).rejects.toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(/^--nonsense is no version of Node\n\nnpm run matrix /),
    });
  });
});

test("a package whose README leads nowhere is not published", async () => {
  mkdirSync(scratch, { recursive: true });
  const folder = mkdtempSync(scratch);
  const check = (manifest: object) => {
    writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
    return run(process.execPath, [join(root, "scripts/publishable.mjs")], { cwd: folder });
  };
  await expect(check({ name: "p" })).rejects.toThrow('no "repository"');
  expect((await check({ repository: "github:somebody/p" })).stderr).toBe("");
});

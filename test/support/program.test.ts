import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cut } from "../../scripts/doctest.mjs";
import { type Memcached, startMemcached } from "./memcached.js";
import { expectationsOf, matches, portsOf, runProgram } from "./program.js";

const page = (...lines: string[]) => lines.join("\n");

describe("cutting programs out of a page", () => {
  test("a line keeps its number, and a block without an import goes on with the one above", () => {
    const programs = cut(
      "docs/keys.md",
      page(
        "# Keys", // 1
        "```ts", // 2
        'import { Client } from "tslibmc";', // 3
        "```", // 4
        "and", // 5
        "```ts", // 6
        "new Client();", // 7
        "```", // 8
        "```ts", // 9
        'import "tslibmc";', // 10
        "```", // 11
      ),
    );
    expect(programs).toEqual([
      {
        name: "docs.keys.3",
        source: '\n\nimport { Client } from "tslibmc";\n\n\n\nnew Client();\n',
        runs: true,
      },
      { name: "docs.keys.10", source: `${"\n".repeat(9)}import "tslibmc";\n`, runs: true },
    ]);
  });

  test("other languages are left alone, no-run is kept apart, a list's indentation is taken off", () => {
    const programs = cut(
      "README.md",
      page(
        "```sh",
        "npm start",
        "```",
        "- like this:",
        "  ```ts no-run",
        '  import { hash } from "tslibmc";',
        "  ```",
      ),
    );
    expect(programs.map(({ name, runs }) => ({ name, runs }))).toEqual([
      { name: "README.6", runs: false },
    ]);
    expect(programs[0]?.source.trimStart()).toBe('import { hash } from "tslibmc";\n');
  });

  test("a block that goes on with nothing is an error with its place", () => {
    expect(() => cut("README.md", page("```ts", "x();", "```"))).toThrow("README.md:2: ");
  });
});

describe("running a program", () => {
  let server: Memcached;
  beforeAll(async () => {
    server = await startMemcached();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test("it speaks to the servers that stand in for those it names", async () => {
    const source = page(
      'import { connect } from "node:net";',
      'const [host, port] = "127.0.0.1:11211".split(":");',
      "const socket = connect(Number(port), host);",
      'socket.write("version\\r\\n");',
      "const reply = await new Promise((resolve) => socket.once('data', resolve));",
      "socket.destroy();",
      "console.log(String(reply).slice(0, 7)); // VERSION",
      'console.log({ a: [1, 2] }, 3n, "127.0.0.1:11211");',
    );
    expect(portsOf(source)).toEqual([11211]);
    const printed = await runProgram(
      { name: "program-test", source },
      new Map([[11211, server.port]]),
    );
    expect(printed).toEqual([
      { line: 7, text: "VERSION" },
      { line: 8, text: "{ a: [ 1, 2 ] } 3n 127.0.0.1:11211" },
    ]);
    expect(expectationsOf(source)).toEqual(new Map([[7, "VERSION"]]));
  });

  test("what it prints when it has ended is its own, too, and not the next one's", async () => {
    const left = {
      name: "program-test-left",
      source: 'globalThis.left = () => console.warn("l");',
    };
    const next = { name: "program-test-next", source: 'globalThis.left(); console.log("n");' };
    const first = await runProgram(left, new Map());
    expect(await runProgram(next, new Map())).toEqual([{ line: 1, text: "n" }]);
    expect(first).toEqual([{ line: 1, text: "l" }]);
    Reflect.deleteProperty(globalThis, "left");
  });

  test("its error is the test's error", async () => {
    const program = { name: "program-test-error", source: 'throw new RangeError("mine");' };
    await expect(runProgram(program, new Map())).rejects.toThrow("mine");
  });

  test("servers are found where a client takes them, and nowhere else", () => {
    expect(portsOf('new Client(["127.0.0.1:11211:2", "localhost:11212"])')).toEqual([11211, 11212]);
    expect(portsOf('new Client("127.0.0.1"); new Client(["127.0.0.1"])')).toEqual([11211]);
    expect(portsOf('listen(0, "127.0.0.1"); connect("127.0.0.1:3000")')).toEqual([]);
  });

  test("a result behind a console.log of several lines is refused, for it would go unchecked", () => {
    expect(() => expectationsOf(page("console.log(", "  a,", "); // 1"))).toThrow("line 3");
  });
});

test.each([
  ["Hello world!", "Hello world!", true],
  ["Hello world!", "Hello world", false],
  ["Map(1) {\n  'a' => 1 }", "Map(1) { 'a' => 1 }", true],
  ["took 12 ms in all", "took ... ms in all", true],
  ["took 12 s in all", "took ... ms in all", false],
  ["aXbXc", "a...b...c", true],
  ["aXcXb", "a...b...c", false],
  ["ab", "ab...b", false],
])("%j is what %j says: %j", (text, expected, answer) => {
  expect(matches(text, expected)).toBe(answer);
});

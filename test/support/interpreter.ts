import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { PYTHON } from "./python.js";

/** What surrounds a script, which says what `answer(question)` is: a line of JSON each. */
const FRAME = `
import json, sys
exec(compile(sys.argv[1], "script", "exec"), globals())
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
`;

/** A Python of the test's own that lives as long as the test, with what it has made: clients, connections. */
export class Interpreter implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #closed: Promise<unknown>;
  #words = "";

  /** @param script - defines `answer(question)` */
  constructor(script: string) {
    const child = spawn(PYTHON, ["-c", FRAME, script], { stdio: "pipe" });
    child.stdin.on("error", () => {}); // a process that has ended shows in its answer
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#words += text));
    this.#child = child;
    this.#closed = new Promise((resolve) => child.once("close", resolve));
    this.#answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** One question after the other. Rejects with Python's traceback if it raises. */
  async ask<Answer>(question: unknown): Promise<Answer> {
    this.#child.stdin?.write(`${JSON.stringify(question)}\n`);
    const { value, done } = await this.#answers.next();
    if (done !== true) return JSON.parse(value) as Answer;
    await this.#closed;
    throw new Error(`Python has ended: ${this.#words.trim()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin?.end();
    await this.#closed;
  }
}

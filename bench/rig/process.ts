import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Workload } from "../load/workload.js";
import type { Subject } from "../peers/registry.js";
import type { Answer, Measured, Question } from "./message.js";

const PYTHON = process.env["PYTHON"] ?? "/usr/bin/python3";
const NODE_WORKER = fileURLToPath(new URL("./worker.js", import.meta.url));

/** A client that has not answered for so long never will; no window takes a tenth of it. */
const PATIENCE_MS = 120_000;

/** A client in a process of its own, which lives as long as the benchmark. */
export class ClientProcess {
  readonly subject: Subject;
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  /** @param pythonWorker - the program for clients in Python */
  constructor(subject: Subject, pythonWorker: string) {
    this.subject = subject;
    const [command, ...program] =
      subject.peer === "pylibmc"
        ? [PYTHON, pythonWorker]
        : [subject.program ?? process.execPath, "--no-flush-bytecode", NODE_WORKER];
    const child = spawn(command, [...program, JSON.stringify(subject)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    child.stdin.on("error", () => {}); // a process that has ended shows in its answer
    this.#child = child;
    this.#answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** @throws Error if the client does not read what it has set */
  async prepare(workload: Workload): Promise<void> {
    await this.#ask({ ask: "prepare", workload });
  }

  async run(workload: Workload, count: number): Promise<Measured> {
    const { measured } = await this.#ask({ ask: "run", workload: workload.name, count });
    if (measured === undefined) throw new Error(`${this.subject.name} did not measure`);
    return measured;
  }

  async close(): Promise<void> {
    const exit = once(this.#child, "exit");
    this.#child.stdin?.end();
    await exit;
  }

  async #ask(question: Question): Promise<Answer> {
    this.#child.stdin?.write(`${JSON.stringify(question)}\n`);
    const limit = setTimeout(() => this.#child.kill("SIGKILL"), PATIENCE_MS);
    const { value, done } = await this.#answers.next();
    clearTimeout(limit);
    if (done) throw new Error(`${this.subject.name} has ended`);
    const answer = JSON.parse(value) as Answer;
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  }
}

/**
 * Puts all threads of these processes on one core (`"0"`) or on several (`"0-3"`).
 * Resolves with whether that was possible, which it is on Linux.
 */
export async function pin(pids: readonly number[], cores: string): Promise<boolean> {
  const taskset = (pid: number) => promisify(execFile)("taskset", ["-acp", cores, String(pid)]);
  return Promise.all(pids.map(taskset)).then(
    () => true,
    () => false,
  );
}

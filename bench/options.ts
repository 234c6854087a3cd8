import { parseArgs } from "node:util";
import { WORKLOADS, type Workload } from "./load/workload.js";

export interface Options {
  readonly rounds: number;
  readonly warmUps: number;
  readonly windowMs: number;
  readonly workloads: readonly Workload[];
  /** Whether a client of this name is wanted. */
  readonly wants: (client: string) => boolean;
  /** Whether ways to a server are compared, instead of clients. */
  readonly transports: boolean;
  /** The git ref to compare with, instead of other clients. */
  readonly compare: string | undefined;
  /** Where the results go, without an ending. */
  readonly out: string;
}

/** What is measured of each way to a server. */
const ON_EACH_WAY: ReadonlySet<string> = new Set([
  "get-1",
  "get-64",
  "set-64",
  "multi-1",
  "multi-16",
]);

export const USAGE = `npm run bench -- [options]

  --rounds N        rounds that count, after 2 to warm up (default 9, to compare 15)
  --window MS       how long a client runs a workload in a round (default 50)
  --only A,B        only these clients or workloads (or both), by name or part of it
  --quick           3 rounds of 20 ms, to see that it works
  --compare REF     this checkout against another commit of it
  --transports      this client over each way to a server
  --out PATH        where to write PATH.json, .md and .svg
                    (default bench/results/peers or transports; bench/results/tmp/… for a partial run)

Workloads: ${WORKLOADS.map(({ name }) => name).join(" ")}
`;

/** @throws TypeError for arguments that are none of these */
export function parseOptions(args: readonly string[], clients: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string" },
      window: { type: "string" },
      only: { type: "string", default: "" },
      quick: { type: "boolean", default: false },
      compare: { type: "string" },
      transports: { type: "boolean", default: false },
      out: { type: "string" },
    },
  });
  const words = values.only.split(",").filter((word) => word !== "");
  const workloads = WORKLOADS.map(({ name }) => name);
  const unknown = words.find((word) => meant([...clients, ...workloads], word).length === 0);
  if (unknown !== undefined) throw new TypeError(`--only: nothing is named ${unknown}`);
  const select = (names: readonly string[]) => {
    const selected = words.flatMap((word) => meant(names, word));
    return (name: string) => selected.length === 0 || selected.includes(name);
  };
  const wantsWorkload = select(workloads);
  const rounds = values.quick ? 3 : values.compare === undefined ? 9 : 15;
  const partial = values.quick || words.length > 0;
  const stem = values.transports
    ? "transports"
    : values.compare === undefined
      ? "peers"
      : "comparison";
  return {
    rounds: count("rounds", values.rounds, rounds),
    warmUps: values.quick ? 1 : 2,
    windowMs: count("window", values.window, values.quick ? 20 : 50),
    workloads: WORKLOADS.filter(
      ({ name }) => wantsWorkload(name) && (!values.transports || ON_EACH_WAY.has(name)),
    ),
    wants: select(clients),
    transports: values.transports,
    compare: values.compare,
    out: values.out ?? `bench/results/${partial ? "tmp/" : ""}${stem}`,
  };
}

/** The names that a word means: the one that it is, or else those that it is part of. */
function meant(names: readonly string[], word: string): string[] {
  return names.includes(word) ? [word] : names.filter((name) => name.includes(word));
}

function count(name: string, text: string | undefined, otherwise: number): number {
  const number = text === undefined ? otherwise : Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new TypeError(`--${name} takes a whole number above 0`);
}

import { parseArgs } from "node:util";
import { WORKLOADS, type Workload } from "./load/workload.js";

/** What is measured side by side: clients, ways to a server, Nodes, or checkouts. */
export type View = "peers" | "transports" | "nodes" | "comparison";

export interface Options {
  readonly rounds: number;
  readonly warmUps: number;
  readonly windowMs: number;
  readonly workloads: readonly Workload[];
  /** Whether a client of this name is wanted. */
  readonly wants: (client: string) => boolean;
  readonly view: View;
  /** The git ref to compare with. */
  readonly compare: string;
  /** The Nodes to run on. */
  readonly nodes: readonly string[];
  /** Where the results go, without an ending. */
  readonly out: string;
}

/** The workloads that tell these apart; otherwise all are run. */
const TELLING: Partial<Readonly<Record<View, readonly string[]>>> = {
  transports: ["get-1", "get-64", "set-64", "multi-1", "multi-16"],
  nodes: [
    ...["get-64", "get-1024", "set-64", "set-1024"],
    ...["multi-1", "multi-16", "mixed-64", "json-64"],
  ],
};

export const USAGE = `npm run bench -- [options]

  --rounds N        rounds that count, after 2 to warm up (default 9, to compare 15)
  --window MS       how long a client runs a workload in a round (default 50)
  --only A,B        only these clients or workloads (or both), by name or part of it
  --quick           3 rounds of 20 ms, to see that it works
  --compare REF     this checkout against another commit of it
  --transports      this client over each way to a server
  --nodes 20,24     this client and the best others on each of these Nodes, which npx fetches
  --out PATH        where to write PATH.json, .md and .svg
                    (default bench/results/peers, transports or nodes; bench/results/tmp/… for a partial run)

Workloads: ${WORKLOADS.map(({ name }) => name).join(" ")}
`;

const ARGUMENTS = {
  rounds: { type: "string" },
  window: { type: "string" },
  only: { type: "string", default: "" },
  quick: { type: "boolean", default: false },
  compare: { type: "string", default: "" },
  transports: { type: "boolean", default: false },
  nodes: { type: "string", default: "" },
  out: { type: "string" },
} as const;

/** @throws TypeError for arguments that there are none of, or that do not go together */
export function viewOf(args: readonly string[]): View {
  const { values } = parseArgs({ args: [...args], options: ARGUMENTS });
  const wanted: View[] = [];
  if (values.transports) wanted.push("transports");
  if (values.nodes !== "") wanted.push("nodes");
  if (values.compare !== "") wanted.push("comparison");
  const [view = "peers", ...others] = wanted;
  if (others.length === 0) return view;
  throw new TypeError("--compare, --transports and --nodes are runs of their own");
}

/** @throws TypeError for arguments that are none of these */
export function parseOptions(args: readonly string[], clients: readonly string[]): Options {
  const { values } = parseArgs({ args: [...args], options: ARGUMENTS });
  const words = listed(values.only);
  const view = viewOf(args);
  const telling = TELLING[view];
  const workloads = WORKLOADS.map(({ name }) => name);
  const unknown = words.find((word) => meant([...clients, ...workloads], word).length === 0);
  if (unknown !== undefined) throw new TypeError(`--only: nothing is named ${unknown}`);
  const select = (names: readonly string[]) => {
    const selected = words.flatMap((word) => meant(names, word));
    return (name: string) => selected.length === 0 || selected.includes(name);
  };
  const wantsWorkload = select(workloads);
  const rounds = values.quick ? 3 : view === "comparison" ? 15 : 9;
  const partial = values.quick || words.length > 0;
  return {
    rounds: count("rounds", values.rounds, rounds),
    warmUps: values.quick ? 1 : 2,
    windowMs: count("window", values.window, values.quick ? 20 : 50),
    workloads: WORKLOADS.filter(
      ({ name }) => wantsWorkload(name) && (telling === undefined || telling.includes(name)),
    ),
    wants: select(clients),
    view,
    compare: values.compare,
    nodes: listed(values.nodes),
    out: values.out ?? `bench/results/${partial ? "tmp/" : ""}${view}`,
  };
}

function listed(text: string): string[] {
  return text.split(",").filter((word) => word !== "");
}

/** The names that a word means: the one that it is, or else those that it is part of. */
function meant(names: readonly string[], word: string): string[] {
  return names.includes(word) ? [word] : names.filter((name) => name.includes(word));
}

/** @throws TypeError for what is no count */
export function count(name: string, text: string | undefined, otherwise: number): number {
  const number = text === undefined ? otherwise : Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new TypeError(`--${name} takes a whole number above 0`);
}

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { NPM_PEERS } from "../peers/registry.js";
import type { Effort, Section } from "./section.js";

const run = promisify(execFile);

interface Packed {
  /** The tarball's bytes. */
  readonly size: number;
  readonly unpackedSize: number;
  readonly entryCount: number;
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** What a client takes to download and to store, by itself and with all that it needs. */
export async function size({ say }: Effort): Promise<Section> {
  const rows = [];
  for (const name of ["tslibmc", ...NPM_PEERS]) {
    say(`size: ${name}`);
    const folder = name === "tslibmc" ? "." : folderOf(name);
    const { size, unpackedSize, entryCount } = await pack(folder);
    const needed = await Promise.all([...needs(folder)].map((one) => pack(folderOf(one))));
    const whole = needed.reduce((sum, one) => sum + one.unpackedSize, unpackedSize);
    const figures = [size / 1000, unpackedSize / 1000, entryCount, needed.length, whole / 1000];
    rows.push({ name, figures });
  }
  return {
    title: "Package size",
    note: "As `npm pack` packs what is installed; kB are 1,000 bytes.",
    columns: ["tarball, kB", "unpacked, kB", "files", "packages needed", "unpacked with them, kB"],
    rows,
  };
}

async function pack(folder: string): Promise<Packed> {
  const args = ["pack", "--dry-run", "--json", "--ignore-scripts", resolve(folder)];
  const { stdout } = await run("npm", args, { maxBuffer: 64 * 1024 * 1024 });
  const [packed] = JSON.parse(stdout) as [Packed];
  return packed;
}

/** The packages that one needs, and those that they need. */
function needs(folder: string, found: Set<string> = new Set()): Set<string> {
  const { dependencies = {} } = JSON.parse(
    readFileSync(`${folder}/package.json`, "utf8"),
  ) as Manifest;
  for (const name of Object.keys(dependencies)) {
    if (found.has(name)) continue;
    found.add(name);
    needs(folderOf(name), found);
  }
  return found;
}

function folderOf(name: string): string {
  return `bench/node_modules/${name}`;
}

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  ARITHMETIC_OPTIONS,
  FLUSH_OPTIONS,
  STORE_OPTIONS,
} from "../../src/client/calls/options.js";
import { CLOSE_OPTIONS } from "../../src/client/cluster.js";
import { EXPLAIN_OPTIONS } from "../../src/client/explaining.js";
import { RESERVE_OPTIONS } from "../../src/client/pool/pool.js";
import { CLIENT_OPTIONS } from "../../src/client/settings/configure.js";

const page = readFileSync(new URL("../../docs/options.md", import.meta.url), "utf8");

/** The names in the first column of a section's table. */
function documented(heading: string): string[] {
  const section = page.split(/^## /m).find((part) => part.startsWith(heading)) ?? "";
  const cells = [...section.matchAll(/^\| (`[^|]*) \|/gm)].map(([, cell]) => cell ?? "");
  return cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name ?? ""));
}

test("docs/options.md has every option of a client, and no other", () => {
  expect(documented("Client options").sort()).toEqual([...CLIENT_OPTIONS].sort());
});

test("docs/options.md has every option of a call, and no other", () => {
  const known = new Set([
    ...STORE_OPTIONS,
    ...ARITHMETIC_OPTIONS,
    ...FLUSH_OPTIONS,
    ...EXPLAIN_OPTIONS,
    ...CLOSE_OPTIONS,
  ]);
  expect(documented("Call options").sort()).toEqual([...known].sort());
});

test("docs/options.md has every option of a pool, and no other", () => {
  expect(documented("Pool options").sort()).toEqual([...RESERVE_OPTIONS].sort());
});

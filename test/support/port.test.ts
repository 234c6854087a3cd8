import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { ownPort, PORTS_OF_A_WORKER } from "./port.js";

const IMPORT = `import { ownPort } from ${JSON.stringify(new URL("port.ts", import.meta.url).href)};`;

test("a process has ports of its own, and so has another run on the same machine", async () => {
  const all = `Array.from({ length: ${PORTS_OF_A_WORKER} }, ownPort)`;
  const program = `${IMPORT} console.log(JSON.stringify(${all}));`;
  const others = await promisify(execFile)(process.execPath, [
    ...["--import", import.meta.resolve("tsx")],
    ...["--input-type", "module", "--eval", program],
  ]);
  const theirs: number[] = JSON.parse(others.stdout);
  const ours = Array.from({ length: PORTS_OF_A_WORKER }, ownPort);
  expect(new Set([...ours, ...theirs]).size).toBe(2 * PORTS_OF_A_WORKER);
  expect(Math.max(...ours, ...theirs)).toBeLessThan(32_768);
});

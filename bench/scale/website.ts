/**
 * A web server that reads one value for each request, and its visitors, who are a process
 * of their own:
 *
 *   node website.js '{"subject":{"peer":"memjs",…},"requests":20000}'
 */
import { strictEqual } from "node:assert";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { textFor } from "../load/data.js";
import { connectTo, type Subject } from "../peers/registry.js";

export interface WebsiteTask {
  readonly subject: Subject;
  readonly requests: number;
}

export interface WebsiteFigures {
  /** The web server's time on a CPU for each request. */
  readonly cpuMicros: number;
  readonly requestsPerSecond: number;
}

const { subject, requests } = JSON.parse(process.argv[2] ?? "{}") as WebsiteTask;
const peer = await connectTo(subject);
const key = "website:page";
const page = textFor(key, 100);
await peer.set(key, page);
strictEqual(await peer.get(key), page);

const server = createServer(async (_, response) => {
  response.end(await peer.get(key));
});
await once(server.listen(0, "127.0.0.1"), "listening");
const { port } = server.address() as AddressInfo;

await visited(requests / 4);
const before = process.cpuUsage();
const began = performance.now();
await visited(requests);
const { user, system } = process.cpuUsage(before);
const seconds = (performance.now() - began) / 1000;
const figures: WebsiteFigures = {
  cpuMicros: (user + system) / requests,
  requestsPerSecond: requests / seconds,
};
console.log(JSON.stringify(figures));
process.exit();

async function visited(times: number): Promise<void> {
  const program = fileURLToPath(new URL("visitors.js", import.meta.url));
  const visitors = spawn(process.execPath, [program, String(port), String(times)]);
  const [code] = (await once(visitors, "exit")) as [number];
  strictEqual(code, 0);
}

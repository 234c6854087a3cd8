import { Client } from "./src/index.ts";

const client = new Client(workerData);

import { parentPort, workerData } from "node:worker_threads";

await client.set("k", 1);
parentPort.postMessage("ready");
for (;;) await client.get("k");

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { accepts, freePort } from "./port.js";

export interface Twemproxy extends AsyncDisposable {
  readonly address: string;
}

/** Starts a real twemproxy (Debian's nutcracker) before these servers. */
export async function startTwemproxy(servers: readonly string[]): Promise<Twemproxy> {
  const folder = mkdtempSync(join(tmpdir(), "twemproxy-"));
  const [port, statsPort] = [await freePort(), await freePort()];
  const file = join(folder, "nutcracker.yml");
  writeFileSync(
    file,
    [
      "tests:",
      `  listen: 127.0.0.1:${port}`,
      "  hash: fnv1a_64",
      "  distribution: ketama",
      "  servers:",
      ...servers.map((server) => `   - ${server}:1`),
      "",
    ].join("\n"),
  );
  // Debian's writes its log, unless told otherwise, where only root may.
  const log = join(folder, "nutcracker.log");
  const args = ["-c", file, "-o", log, "-a", "127.0.0.1", "-s", String(statsPort)];
  const child = spawn("nutcracker", args, {
    stdio: "ignore",
    env: { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin` },
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`nutcracker ended with ${child.exitCode}`);
    await delay(10);
  }
  return {
    address: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      process.off("exit", kill);
      const exit = once(child, "exit");
      kill();
      await exit;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

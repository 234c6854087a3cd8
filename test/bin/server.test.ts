import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { Wire } from "../testing/support/wire.js";

const PROGRAM = fileURLToPath(new URL("../../src/bin/server.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "bin-"));
afterAll(() => rmSync(folder, { recursive: true }));

function run(args: string[], env: Record<string, string> = {}): ChildProcess {
  const child = spawn(process.execPath, ["--import", "tsx", PROGRAM, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

async function textOf(child: ChildProcess, stream: "stdout" | "stderr"): Promise<string> {
  let text = "";
  child[stream]?.on("data", (piece) => {
    text += piece;
  });
  await once(child, "close");
  return text;
}

describe("tslibmc-server", () => {
  it("serves, says where, and ends when it is told to", async () => {
    const ports = join(folder, "ports");
    const pidFile = join(folder, "pid");
    const child = run(["-p", "-1", "-U", "-1", "-m", "8", "-P", pidFile], {
      MEMCACHED_PORT_FILENAME: ports,
    });
    const [line] = await once(child.stdout!, "data");
    const port = Number(/listening on 127\.0\.0\.1:(\d+)\n/.exec(String(line))?.[1]);
    expect(readFileSync(ports, "utf8")).toMatch(
      new RegExp(`^TCP INET: ${port}\nUDP INET: \\d+\n$`),
    );
    expect(readFileSync(pidFile, "utf8")).toBe(`${child.pid}\n`);
    const wire = Wire.connect({ host: "127.0.0.1", port });
    expect(await wire.ask("stats settings\r\n")).toContain("STAT maxbytes 8388608\r\n");
    child.kill("SIGTERM");
    const [code] = await once(child, "exit");
    expect(code).toBe(0);
    await wire.ended;
  });

  it("refuses wrong options with a reason and memcached's status", async () => {
    const child = run(["-d"]);
    expect(await textOf(child, "stderr")).toMatch(/^tslibmc-server: -d is not possible here: /);
    expect(child.exitCode).toBe(64);
  });

  it("takes the place of a socket that was left behind, with the mode of -a", async () => {
    const path = join(folder, "left.sock");
    const first = run(["-s", path]);
    await once(first.stdout!, "data");
    first.kill("SIGKILL");
    await once(first, "exit");
    const second = run(["-s", path, "-a", "600"]);
    await once(second.stdout!, "data");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const wire = Wire.connect({ path });
    expect(await wire.ask("get k\r\n")).toBe("END\r\n");
    wire.close();
  });

  it("leaves alone what is no socket", async () => {
    const path = join(folder, "precious");
    writeFileSync(path, "kept");
    const child = run(["-s", path]);
    expect(await textOf(child, "stderr")).toContain("tslibmc-server: ");
    expect(child.exitCode).toBe(1);
    expect(readFileSync(path, "utf8")).toBe("kept");
  });

  it("does not go on without the file that it is to write", async () => {
    const child = run(["-p", "-1", "-P", join(folder, "nowhere", "pid")]);
    expect(await textOf(child, "stderr")).toMatch(/^tslibmc-server: ENOENT/);
    expect(child.exitCode).toBe(1);
  });

  it("does not call it a wrong option that its address is taken", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const child = run(["-p", String((taken.address() as AddressInfo).port)]);
    expect(await textOf(child, "stderr")).toContain("another process listens there");
    expect(child.exitCode).toBe(1);
    taken.close();
  });

  it("shows its options and the version that it answers as", async () => {
    expect(await textOf(run(["-V"]), "stdout")).toBe("memcached 1.6.45 (tslibmc)\n");
    const old = run(["-V", "--compat=1.6.18"]);
    expect(await textOf(old, "stdout")).toBe("memcached 1.6.18 (tslibmc)\n");
    expect(await textOf(run(["-h"]), "stdout")).toContain("-m, --memory-limit=<num>");
  });
});

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Memcached, startMemcached } from "./memcached.js";

const COMMAND = process.env["MEMCACHED"] ?? "memcached";

/** Whether the memcached that tests run was built with its proxy (`--enable-proxy`). */
export function hasProxy(): boolean {
  return spawnSync(COMMAND, ["-h"], { encoding: "utf8" }).stdout.includes("proxy_config");
}

/** Starts memcached as a proxy that spreads keys over these servers. */
export async function startMemcachedProxy(
  servers: readonly Memcached[],
): Promise<{ readonly address: string } & AsyncDisposable> {
  const folder = mkdtempSync(join(tmpdir(), "memcachedproxy-"));
  const file = join(folder, "proxy.lua");
  writeFileSync(file, configuration(servers));
  const proxy = await startMemcached({ args: ["-o", `proxy_config=${file}`] });
  return {
    address: proxy.address,
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function configuration(servers: readonly Memcached[]): string {
  const backends = servers.map(({ host, port }) => `mcp.backend("${port}", "${host}", "${port}")`);
  return `
function mcp_config_pools()
  mcp.backend_connect_timeout(1)
  mcp.backend_retry_timeout(0.2)
  return mcp.pool({ ${backends.join(", ")} })
end
function mcp_config_routes(pool)
  local fg = mcp.funcgen_new()
  local h = fg:new_handle(pool)
  fg:ready({ f = function(rctx) return function(r) return rctx:enqueue_and_wait(r, h) end end })
  mcp.attach(mcp.CMD_ANY_STORAGE, fg)
end
`;
}

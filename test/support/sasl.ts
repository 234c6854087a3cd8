import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { type Memcached, startMemcached } from "./memcached.js";

/** A memcached that wants SASL, and the database that it looks users up in. */
export interface SaslMemcached extends AsyncDisposable {
  readonly server: Memcached;
  setPassword(username: string, password: string): void;
}

/**
 * Starts a real `memcached -S` with Cyrus SASL's own database.
 * @param mechanisms - what it offers, for instance `["PLAIN"]`
 */
export async function startSaslMemcached(
  mechanisms: readonly string[],
  users: Readonly<Record<string, string>>,
): Promise<SaslMemcached> {
  const folder = mkdtempSync(join(tmpdir(), "memcached-sasl-"));
  const database = join(folder, "sasldb2");
  writeFileSync(
    join(folder, "memcached.conf"),
    [
      "pwcheck_method: auxprop",
      "auxprop_plugin: sasldb",
      `sasldb_path: ${database}`,
      `mech_list: ${mechanisms.join(" ")}`,
      "",
    ].join("\n"),
  );
  const setPassword = (username: string, password: string) => {
    execFileSync("saslpasswd2", ["-p", "-c", "-f", database, "-u", hostname(), username], {
      input: password,
      env: { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin` },
    });
  };
  for (const [username, password] of Object.entries(users)) setPassword(username, password);
  const server = await startMemcached({ args: ["-S"], env: { SASL_CONF_PATH: folder } });
  return {
    server,
    setPassword,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

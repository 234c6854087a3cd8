#!/usr/bin/env node
import { chmodSync, lstatSync, unlinkSync, writeFileSync } from "node:fs";
import { messageOf, OptionError } from "../errors.js";
import { MemcachedServer } from "../testing/index.js";
import { releaseOf } from "../testing/release.js";
import { HELP } from "./help.js";
import { type Invocation, readCommandLine } from "./options.js";

/** Wrong options end with this status, as in memcached (sysexits.h, EX_USAGE). */
const USAGE = 64;

async function run({ server: options, pidFile, socketMode }: Invocation): Promise<void> {
  if (options.path !== undefined) removeStale(options.path);
  const server = await MemcachedServer.start({ ...options, log: "none" });
  const { MEMCACHED_PORT_FILENAME: portFile } = process.env;
  try {
    if (socketMode !== undefined && options.path !== undefined) chmodSync(options.path, socketMode);
    if (pidFile !== undefined) writeFileSync(pidFile, `${process.pid}\n`);
    if (portFile !== undefined) writeFileSync(portFile, portsOf(server));
  } catch (error) {
    await server.close();
    throw error;
  }
  process.stdout.write(`listening on ${server.address}\n`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      void server.close();
    });
  }
}

/** A socket that a server left behind gives way, as with memcached; another file does not. */
function removeStale(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true) unlinkSync(path);
}

/** What memcached writes to the file that MEMCACHED_PORT_FILENAME names. */
function portsOf({ port, udpPort }: MemcachedServer): string {
  return `TCP INET: ${port}\n${udpPort === 0 ? "" : `UDP INET: ${udpPort}\n`}`;
}

/** The version of memcached that it would answer as. */
function versionOf({ server }: Invocation): string {
  return `memcached ${releaseOf(server.compat ?? "newest").version} (tslibmc)\n`;
}

try {
  const invocation = readCommandLine(process.argv.slice(2), process.env);
  if (invocation.show === "help") process.stdout.write(HELP);
  else if (invocation.show === "version") process.stdout.write(versionOf(invocation));
  else await run(invocation);
} catch (error) {
  process.stderr.write(`tslibmc-server: ${messageOf(error)}\n`);
  process.exitCode = error instanceof OptionError ? USAGE : 1;
}

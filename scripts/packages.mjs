import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "./command.mjs";

/**
 * Installs what a folder's package-lock.json says, if node_modules differs from it.
 * Ends the process if that fails.
 * @param {string} folder
 */
export async function installPackages(folder) {
  if (packagesAreInstalled(folder)) return;
  const modules = join(root, folder, "node_modules");
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) {
    console.error(
      `${modules} is a link to packages that differ from package-lock.json: run npm ci there.`,
    );
    process.exit(1);
  }
  console.log(`Installing the npm packages of ${join(folder, "package-lock.json")}`);
  const { ok } = await run("npm", ["ci", "--no-audit", "--no-fund", "--prefix", folder]);
  if (!ok) process.exit(1);
}

/**
 * Whether node_modules holds the lock's packages, but for those of other platforms.
 * @param {string} folder
 */
function packagesAreInstalled(folder) {
  const wanted = readLock(join(folder, "package-lock.json"));
  const found = readLock(join(folder, "node_modules/.package-lock.json"));
  return Object.entries(wanted).every(([path, entry]) => {
    const installed = found[path];
    if (installed === undefined) return path === "" || entry.optional === true;
    return installed.version === entry.version && installed.integrity === entry.integrity;
  });
}

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean }} LockEntry
 * @param {string} path
 * @returns {Record<string, LockEntry>}
 */
function readLock(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), "utf8")).packages;
  } catch {
    return {};
  }
}

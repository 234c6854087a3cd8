/**
 * Makes a fresh clone ready with Node's built-in modules alone.
 *
 *   node scripts/setup.mjs           installs the npm packages of package-lock.json, if they differ
 *   node scripts/setup.mjs --build   and builds, if a source is newer than what is built
 *   node scripts/setup.mjs --test    and sees to the real servers and clients that tests run
 */
import { run } from "./command.mjs";
import { installPackages } from "./packages.mjs";

/** What the tests run beside Node: how to see that it is there, and what brings it. */
const PROGRAMS = [
  {
    name: "memcached",
    probe: [process.env["MEMCACHED"] ?? "memcached", "-V"],
    package: "memcached",
  },
  {
    name: "pylibmc",
    probe: [process.env["PYTHON"] ?? "/usr/bin/python3", "-c", "import pylibmc"],
    package: "python3-pylibmc",
  },
  { name: "memccapable", probe: ["memccapable", "-V"], package: "libmemcached-tools" },
  { name: "openssl", probe: ["openssl", "version"], package: "openssl" },
  { name: "saslpasswd2", probe: inSbin("command -v saslpasswd2"), package: "sasl2-bin" },
  {
    name: "Cyrus SASL's mechanisms",
    probe: ["sh", "-c", "ls /usr/lib*/sasl2/libscram.so /usr/lib/*/sasl2/libscram.so | grep -q ."],
    package: "libsasl2-modules",
  },
  { name: "nutcracker", probe: inSbin("nutcracker -V"), package: "nutcracker" },
  { name: "haproxy", probe: inSbin("haproxy -v"), package: "haproxy" },
];

checkNode();
await installPackages(".");
if (process.argv.includes("--build"))
  await runOrExit(process.execPath, ["scripts/build.mjs", "--if-stale"]);
if (process.argv.includes("--test")) await installPrograms();

/**
 * A command that may be a daemon's, where an ordinary user's PATH does not lead.
 * @param {string} command
 */
function inSbin(command) {
  return ["sh", "-c", `PATH="$PATH:/usr/sbin:/usr/local/sbin"; ${command}`];
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if ((major === 20 && minor >= 19) || (major === 22 && minor >= 13) || major > 22) return;
  fail(`Node ${process.versions.node} is too old: tslibmc needs ^20.19.0 or >=22.13.0.`);
}

async function installPrograms() {
  const missing = await missingPrograms();
  if (missing.length === 0) return;
  const packages = missing.map((program) => program.package);
  if (await canInstall()) {
    console.log(`Installing ${packages.join(" ")}`);
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    await run("apt-get", ["update", "-q"], { env });
    await run("apt-get", ["install", "-qy", "--no-install-recommends", ...packages], { env });
    if ((await missingPrograms()).length === 0) return;
  }
  const names = missing.map((program) => program.name).join(", ");
  fail(
    `The tests need ${names}. On Debian and Ubuntu: sudo apt-get install ${packages.join(" ")}\n` +
      "Elsewhere: memcached and libmemcached from the system's packages, and pip install pylibmc;\n" +
      "MEMCACHED and PYTHON may name the two programs.",
  );
}

async function missingPrograms() {
  const found = await Promise.all(
    PROGRAMS.map(({ probe: [command = "", ...args] }) => run(command, args, { quiet: true })),
  );
  return PROGRAMS.filter((_, i) => !found[i]?.ok);
}

async function canInstall() {
  return process.getuid?.() === 0 && (await run("apt-get", ["--version"], { quiet: true })).ok;
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 */
async function runOrExit(command, args) {
  const { ok } = await run(command, args);
  if (!ok) process.exit(1);
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  console.error(message);
  process.exit(1);
}

/**
 * Writes down the public API of every entry point in etc/, so that each change of it shows
 * in review.
 *
 *   node scripts/api-report.mjs           writes etc/*.api.md
 *   node scripts/api-report.mjs --check   fails if they are not up to date
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Extractor, ExtractorConfig } from "@microsoft/api-extractor";
import { root, run } from "./command.mjs";

const check = process.argv.includes("--check");
const scratch = mkdtempSync(join(tmpdir(), "api-"));
const packageJsonFullPath = join(root, "package.json");
/** @type {{ exports: Record<string, string | { import: { types: string } }> }} */
const manifest = JSON.parse(readFileSync(packageJsonFullPath, "utf8"));

const build = await run(process.execPath, ["scripts/build.mjs", "--if-stale"]);
if (!build.ok) process.exit(1);

mkdirSync(join(root, "etc"), { recursive: true });
let changed = 0;
const reports = new Set();
for (const [entry, target] of Object.entries(manifest.exports)) {
  if (typeof target === "string") continue; // ./package.json
  const name = `tslibmc${entry.slice(1).replaceAll("/", "-")}`;
  reports.add(`${name}.api.md`);
  if (report(name, join(root, target.import.types))) continue;
  changed++;
  console.log(`etc/${name}.api.md ${check ? "is not up to date: run npm run api" : "is written"}`);
}
rmSync(scratch, { recursive: true });
for (const file of readdirSync(join(root, "etc")).filter((file) => !reports.has(file))) {
  changed++;
  console.log(`etc/${file} is no entry point's: take it away`);
}
if (check && changed > 0) process.exit(1);

/**
 * Whether an entry point's report is as it was.
 * @param {string} name
 * @param {string} types
 */
function report(name, types) {
  const configuration = ExtractorConfig.prepare({
    packageJsonFullPath,
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: types,
      newlineKind: "lf",
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: "es2023",
            lib: ["es2023", "esnext.disposable"],
            types: ["node"],
            module: "nodenext",
            moduleResolution: "nodenext",
            skipLibCheck: true,
          },
          files: [types],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: `${name}.api.md`,
        reportFolder: join(root, "etc"),
        reportTempFolder: scratch,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        extractorMessageReporting: {
          default: { logLevel: /** @type {any} */ ("none"), addToApiReportFile: false },
        },
        tsdocMessageReporting: {
          default: { logLevel: /** @type {any} */ ("none"), addToApiReportFile: false },
        },
      },
    },
  });
  const result = Extractor.invoke(configuration, {
    localBuild: !check,
    showVerboseMessages: false,
    messageCallback: (message) => {
      message.handled = message.logLevel !== "error"; // what changed is said above
    },
  });
  return !result.apiReportChanged;
}

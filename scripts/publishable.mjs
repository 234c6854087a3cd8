/**
 * Refuses to publish a package that does not say where its repository is: npm would lead
 * README's links nowhere, and nobody would find `docs/`, which are not in the package.
 */
import { readFileSync } from "node:fs";

const { repository } = JSON.parse(readFileSync("package.json", "utf8"));
if (repository === undefined) {
  console.error('package.json has no "repository", by which npm finds what README links to');
  process.exitCode = 1;
}

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));
const pages = [
  ...readdirSync(root).filter((name) => name.endsWith(".md")),
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
  "bench/README.md",
];

/** The names by which a page's headings are linked to. */
function anchorsOf(page: string): Set<string> {
  const headings = readFileSync(join(root, page), "utf8").matchAll(/^#+ (.*)$/gm);
  return new Set(
    [...headings].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\-_ ]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

function linksOf(page: string): string[] {
  const links = readFileSync(join(root, page), "utf8").matchAll(/\]\(([^)\s]+)\)/g);
  return [...links].map(([, link = ""]) => link).filter((link) => !/^https?:/.test(link));
}

/** What is wrong with a link, or undefined. */
function faultOf(page: string, link: string): string | undefined {
  const [file = "", anchor] = link.split("#");
  const target = file === "" ? page : relative(root, join(root, dirname(page), file));
  if (!existsSync(join(root, target))) return `${link} leads nowhere`;
  if (anchor === undefined || !target.endsWith(".md") || anchorsOf(target).has(anchor)) return;
  return `${link} names no heading`;
}

describe("the pages' links", () => {
  test.each(pages)("%s", (page) => {
    expect(linksOf(page).flatMap((link) => faultOf(page, link) ?? [])).toEqual([]);
  });

  test("a wrong one is noticed", () => {
    expect(faultOf("README.md", "docs/nowhere.md")).toBe("docs/nowhere.md leads nowhere");
    expect(faultOf("docs/errors.md", "failover.md#heath")).toBe(
      "failover.md#heath names no heading",
    );
  });

  test("the README leads to every page", () => {
    const linked = linksOf("README.md").map((link) => link.split("#")[0]);
    const missing = pages.filter((page) => page.startsWith("docs/") && !linked.includes(page));
    expect(missing).toEqual([]);
  });
});

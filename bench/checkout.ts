import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** Another commit of this project, checked out and built. */
export interface Checkout extends Disposable {
  readonly path: string;
}

/** @throws Error if git does not know the ref, or if it does not build */
export function checkOut(ref: string): Checkout {
  const folder = mkdtempSync(join(tmpdir(), "tslibmc-"));
  const path = join(folder, "checkout");
  git("worktree", "add", "--detach", path, ref);
  const checkout = {
    path,
    [Symbol.dispose]: () => {
      git("worktree", "remove", "--force", path);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    symlinkSync(resolve("node_modules"), join(path, "node_modules"));
    execFileSync(process.execPath, ["scripts/build.mjs"], { cwd: path, stdio: "inherit" });
    return checkout;
  } catch (error) {
    checkout[Symbol.dispose]();
    throw error;
  }
}

function git(...args: string[]): void {
  execFileSync("git", args, { stdio: ["ignore", "ignore", "inherit"] });
}

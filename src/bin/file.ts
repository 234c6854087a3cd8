import { readFileSync } from "node:fs";
import { OptionError } from "../errors.js";

/**
 * A file's text.
 * @throws OptionError for a file that cannot be read
 */
export function contents(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new OptionError(`${path} cannot be read`, { cause });
  }
}

import { watch } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseServers, type Servers } from "../client/servers/servers.js";
import { messageOf, OptionError } from "../errors.js";
import { checkDurationMs, checkOptions } from "../util/check.js";
import { namesOf } from "../util/names.js";
import { show } from "../util/show.js";
import { type Look, polling } from "./polling.js";

/** How a file of servers is watched. */
export interface ServerFileOptions {
  /**
   * Milliseconds after which the file is read in any case, give or take a quarter, since not
   * every file system tells of changes.
   * @defaultValue 10000
   */
  readonly intervalMs?: number | undefined;
}

const OPTIONS = namesOf<ServerFileOptions>({ intervalMs: true });

/** How long after a change a file is read again, until it stays as it is. */
const SETTLES_MS = 50;

/** An array of strings or objects, which no line with an IPv6 address looks like. */
const JSON_ARRAY = /^\s*\[\s*["{\]]/;

/**
 * The servers of a file: one in each line, as a client takes it (`host:port:weight`, `#` begins
 * a comment), or a JSON array of strings and objects. Changes are noticed at once, also where
 * another file or folder is put in its place, as with a ConfigMap of Kubernetes.
 *
 * A file that cannot be read as a whole is a failure, once, and changes nothing.
 * @throws OptionError for an unknown option, or one out of its range
 */
export function serverFile(path: string, options: ServerFileOptions = {}): AsyncIterable<Servers> {
  checkOptions(options, OPTIONS, "serverFile");
  if (typeof path !== "string" || path === "") {
    throw new OptionError(`The file of servers must be a path, not ${show(path)}`);
  }
  const { intervalMs = 10_000 } = options;
  const file = new WatchedFile(path);
  return polling(checkDurationMs(intervalMs, "intervalMs"), (wake, ended): Look => {
    file.watch(wake, ended);
    return () => file.servers(ended);
  });
}

class WatchedFile {
  readonly #path: string;
  #text: string | undefined = undefined;
  /** Why there was no list at the last look. */
  #refusal: string | undefined = undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Watches the folder, since replacing a file also takes away what watched it. The files
   * of a ConfigMap lie behind a link whose name begins with two dots.
   */
  watch(changed: () => void, ended: AbortSignal): void {
    const name = basename(this.#path);
    const options = { persistent: false, signal: ended };
    try {
      const watcher = watch(dirname(this.#path), options, (_, found) => {
        if (found === null || found === name || found.startsWith("..")) changed();
      });
      watcher.on("error", () => watcher.close());
    } catch {
      // Where nothing can be watched, the file is read every now and then all the same.
    }
  }

  /**
   * @returns undefined where there is no list for the same reason as before
   * @throws OptionError for a file that is not there, or has no list
   */
  async servers(ended: AbortSignal): Promise<Servers | undefined> {
    try {
      const servers = serversOf(await this.#settledText(ended));
      this.#refusal = undefined;
      return servers;
    } catch (cause) {
      const why = messageOf(cause);
      if (this.#refusal === why) return undefined;
      this.#refusal = why;
      throw new OptionError(`There is no list of servers in ${this.#path}: ${why}`, { cause });
    }
  }

  /** What the file holds once it has stopped changing. */
  async #settledText(ended: AbortSignal): Promise<string> {
    let text = await readFile(this.#path, "utf8");
    while (text !== this.#text) {
      this.#text = text;
      await delay(SETTLES_MS, undefined, { ref: false, signal: ended });
      text = await readFile(this.#path, "utf8");
    }
    return text;
  }
}

/** @throws OptionError for a server that cannot be read, or if there is none; SyntaxError */
function serversOf(text: string): Servers {
  // A byte order mark is white space to trim, and to a pattern, but not to JSON.
  const servers: Servers = JSON_ARRAY.test(text) ? JSON.parse(text.trim()) : linesOf(text);
  parseServers(servers);
  return servers;
}

function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.replace(/(?:^|\s)#.*/, "").trim())
    .filter((line) => line !== "");
}

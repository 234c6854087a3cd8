import type { Session } from "../session.js";
import { BAD_EXPTIME, BAD_FORMAT, type Command, ERROR, OK } from "./command.js";
import { crawler } from "./crawler.js";
import { stats } from "./stats.js";
import { cacheMemlimit, lru, slabs } from "./tuning.js";
import { watch } from "./watch.js";

function flushAll({ instance }: Session, words: readonly string[]): string {
  const { settings } = instance;
  if (!settings.flushAll) return "CLIENT_ERROR flush_all not allowed\r\n";
  const plain = words.at(-1) === "noreply" && words.length > 1 ? 2 : 1;
  let seconds: number | undefined = 0;
  if (words.length !== plain) {
    seconds = settings.release.numerals.int32(words[1]!);
    if (seconds === undefined) return BAD_EXPTIME;
  }
  instance.flush(seconds);
  return OK;
}

function verbosity({ instance }: Session, words: readonly string[]): string {
  const level =
    words[1] === undefined ? undefined : instance.settings.release.numerals.uint32(words[1]);
  if (level === undefined) return BAD_FORMAT;
  instance.settings.verbosity = Math.min(level, 2);
  return OK;
}

/** Ends the server, where that is allowed (`-A`). */
function shutdown(session: Session, words: readonly string[]): string {
  const { settings, onShutdown } = session.instance;
  if (!settings.shutdown) {
    const kind = settings.release.strictParser ? "SERVER_ERROR" : "ERROR";
    return `${kind}: shutdown not enabled\r\n`;
  }
  const graceful = words.length === 2 && words[1] === "graceful";
  if (words.length !== 1 && !graceful) return "CLIENT_ERROR invalid shutdown mode\r\n";
  session.closing = true;
  onShutdown();
  return "";
}

/** `debugtime p|r|<seconds>`: stops the clock, lets it run, or moves it (memcached's debug build). */
function debugTime({ instance }: Session, words: readonly string[]): string {
  const { settings, clock } = instance;
  if (!settings.debug) return ERROR;
  if (words[1] === "p") {
    clock.stop();
  } else if (words[1] === "r") {
    clock.resume();
  } else {
    const seconds = words[1] === undefined ? undefined : settings.release.numerals.int32(words[1]);
    if (seconds === undefined) return ERROR;
    clock.advance(seconds);
  }
  return OK;
}

function refreshCertificates({ instance }: Session): string {
  return instance.settings.tls === undefined ? "Error TLS not enabled\r\n" : OK;
}

function quit(session: Session): string {
  session.closing = true;
  return "";
}

/** Only the parser of 1.6.40 looks for their `noreply`. */
const NEWER = Number.POSITIVE_INFINITY;

function any(run: Command["run"]): Command {
  return { min: 1, max: Number.POSITIVE_INFINITY, run };
}

/** The commands about the server (protocol.txt, "Other commands"). */
export const ADMIN: Readonly<Record<string, Command>> = {
  flush_all: { min: 1, max: 3, strictMin: 1, quietFrom: 1, run: flushAll },
  version: any(({ instance }) => `VERSION ${instance.settings.release.version}\r\n`),
  verbosity: { min: 2, max: 3, strictMin: 1, quietFrom: 1, run: verbosity },
  stats: any(stats),
  shutdown: { ...any(shutdown), quietFrom: NEWER },
  debugtime: { ...any(debugTime), quietFrom: NEWER },
  refresh_certs: any(refreshCertificates),
  cache_memlimit: { min: 2, max: 3, strictMin: 1, quietFrom: 1, run: cacheMemlimit },
  slabs: { ...any(slabs), quietFrom: 4 },
  lru: { min: 2, max: Number.POSITIVE_INFINITY, strictMin: 1, quietFrom: 1, run: lru },
  lru_crawler: { ...any(crawler), quietFrom: NEWER },
  watch: any(watch),
  quit: any(quit),
};

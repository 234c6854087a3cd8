import type { Session } from "../session.js";
import { TOPICS } from "../watch.js";
import { ERROR, OK } from "./command.js";

/** `watch <topics>`: the connection becomes a stream of log lines (protocol.txt, "Watchers"). */
export function watch(session: Session, words: readonly string[]): string {
  const { settings, watch: hub, store } = session.instance;
  if (!settings.watch) return "CLIENT_ERROR watch commands not allowed\r\n";
  if (session.reply !== "") return "ERROR cannot pipeline other commands before watch\r\n";
  const topics = words.length > 1 ? words.slice(1) : ["fetchers"];
  const known = TOPICS.filter((topic) => topic !== "deletions" || settings.release.watchDeletions);
  if (!topics.every((topic) => known.includes(topic))) return ERROR;
  const stop = hub.add(topics, session);
  store.observeLookups = hub.wants("fetchers");
  session.watching = true;
  session.onEnd = () => {
    stop();
    store.observeLookups = hub.wants("fetchers");
  };
  return OK;
}

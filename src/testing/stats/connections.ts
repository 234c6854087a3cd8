import type { Instance } from "../instance.js";
import type { Entry } from "./entry.js";

/** `stats conns`: who is connected, and since when they are silent. */
export function connectionsStats({ sessions, clock, place }: Instance): Entry[] {
  const listener =
    place.path === undefined ? `tcp:${place.host}:${place.port}` : `unix:${place.path}`;
  const entries: Entry[] = [
    ["0:addr", listener],
    ["0:state", "conn_listening"],
    ["0:secs_since_last_cmd", 0],
  ];
  for (const session of sessions) {
    const state = session.idle ? "conn_read" : "conn_parse_cmd";
    entries.push(
      [`${session.id}:addr`, session.peer],
      [`${session.id}:listen_addr`, listener],
      [`${session.id}:state`, state],
      [`${session.id}:secs_since_last_cmd`, clock.now() - session.lastCommand],
    );
  }
  return entries;
}

import { isIP } from "node:net";
import { OptionError } from "../errors.js";
import { show } from "../util/show.js";

/** What `config set` stores under a name. */
export interface Configuration {
  readonly flags: number;
  readonly data: string;
}

/** The name under which a cluster's list is. */
const CLUSTER = "cluster";

/** The configurations of a server that is a discovery endpoint, by their names. */
export class Configurations extends Map<string, Configuration> {
  #version = 0;

  /**
   * Makes these the cluster's servers, under the next version.
   * @throws OptionError for anything but a list of them
   */
  announce(servers: readonly string[]): void {
    if (!Array.isArray(servers) || !servers.every((server) => typeof server === "string")) {
      throw new OptionError(
        `The servers of a cluster must be an array of strings, not ${show(servers)}`,
      );
    }
    this.#version++;
    const data = `${this.#version}\n${servers.map(member).join(" ")}\n`;
    this.set(CLUSTER, { flags: 0, data });
  }
}

/** `host:port` as `host|ip|port`; what is written so already stays. */
function member(server: string): string {
  if (server.includes("|")) return server;
  const colon = server.lastIndexOf(":");
  const host = server.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return `${host}|${isIP(host) > 0 ? host : ""}|${server.slice(colon + 1)}`;
}

import type { ServerOptions } from "../client/servers/servers.js";
import { ProtocolError } from "../errors.js";
import { quote } from "../util/show.js";

/** What a discovery endpoint says of its cluster. */
export interface ClusterList {
  /** Grows with every change of the cluster. */
  readonly version: number;
  readonly members: readonly ClusterMember[];
}

/** A server of the cluster; one of its host name and its address may be empty. */
export interface ClusterMember {
  readonly host: string;
  readonly ip: string;
  readonly port: number;
}

const END = "\r\nEND\r\n";

/** A data block's header: of `config get`, or of `get` at engines before 1.4.14. */
const HEADER = /^(?:CONFIG|VALUE) \S+ \d+ (\d+)$/;

/**
 * How long the answer is that a text begins with: a line, or a data block and `END`.
 * @returns undefined while its first line is not complete
 */
export function answerLength(text: string): number | undefined {
  const line = text.indexOf("\r\n");
  if (line < 0) return undefined;
  const digits = HEADER.exec(text.slice(0, line))?.[1];
  return digits === undefined ? line + 2 : line + 2 + Number(digits) + END.length;
}

/** Whether an answer says that there is no such command, or no such item. */
export function isUnknown(answer: string): boolean {
  return answer === "END\r\n" || /^ERROR\b/.test(answer);
}

/**
 * Reads an answer to `config get cluster`: a version, and in the next line
 * `host|ip|port host|ip|port …`.
 * @param server - whose answer it is
 * @throws ProtocolError for anything else, or one that names no server
 */
export function parseClusterList(answer: string, server: string): ClusterList {
  const [, body = answer] = /^(?:CONFIG|VALUE) [^\r\n]*\r\n(.*)\r\nEND\r\n$/s.exec(answer) ?? [];
  const [, version, line = ""] = /^(\d{1,15})(?:\r?\n([^\r\n]*))?$/.exec(body.trimEnd()) ?? [];
  if (version === undefined) throw unreadable(body, server);
  const words = line.split(" ").filter((word) => word !== "");
  if (words.length === 0) {
    throw new ProtocolError(`${server} names no server in version ${version} of its list`, {
      server,
    });
  }
  return { version: Number(version), members: words.map((word) => parseMember(word, server)) };
}

function parseMember(word: string, server: string): ClusterMember {
  const [, host = "", ip = "", digits] = /^([^|]*)\|([^|]*)\|(\d{1,5})$/.exec(word) ?? [];
  const port = Number(digits);
  if (host + ip === "" || !(port >= 1 && port <= 65535)) throw unreadable(word, server);
  return { host, ip, port };
}

/** A member as a client takes it, by what was asked for and otherwise by what there is. */
export function memberServer({ host, ip, port }: ClusterMember, by: "host" | "ip"): ServerOptions {
  return { host: by === "ip" ? ip || host : host || ip, port };
}

function unreadable(text: string, server: string): ProtocolError {
  return new ProtocolError(`${server} sent no list of a cluster: ${quote(text, 60)}`, { server });
}

import { OptionError } from "../../errors.js";
import { keptOptions } from "./kept.js";

/** What a URL can say of all its servers. */
export interface UrlOptions {
  readonly tls?: boolean;
  readonly username?: string;
  readonly password?: string;
}

/** Servers as a client takes them; only a string can be a URL. */
type Given = string | readonly unknown[];

/**
 * Options with what the servers' URL says beside where they are; what the options say
 * themselves goes first.
 * @throws OptionError if they take the TLS from a URL that asks for it
 */
export function withUrl<Options extends { readonly tls?: unknown }>(
  servers: Given,
  options: Options,
): Options & UrlOptions {
  const url = urlOptions(servers);
  if (url.tls === true && options.tls === false) {
    throw new OptionError('The URL begins with "memcacheds://", which is TLS, and tls is false');
  }
  const merged: Record<string, unknown> = { ...url };
  for (const [name, value] of Object.entries(keptOptions(options))) {
    if (value !== undefined) merged[name] = value;
  }
  return merged as Options & UrlOptions;
}

/** What the servers' URL says beside where they are; empty for servers without a URL. */
function urlOptions(servers: Given): UrlOptions {
  const url = typeof servers === "string" ? parseUrl(servers) : undefined;
  const tls = url?.isSecure ? { tls: true } : {};
  if (url?.user === undefined) return tls;
  if (/@.*,/.test(url.user)) {
    throw new OptionError(
      'A server\'s URL has one user and one password for all its servers, in which "@" and "," are percent-encoded: "memcached://user:password@host1,host2"',
    );
  }
  const [username = "", password] = url.user.split(/:(.*)/s);
  if (password === undefined) {
    throw new OptionError("A server's URL has a user without a password; write user:password@host");
  }
  return { ...tls, username: decoded(username), password: decoded(password) };
}

/** What a client was made with, of what a URL could say. */
export type ClientOfUrl = { readonly [Name in keyof UrlOptions]?: unknown };

/**
 * Servers for a client that is there, or with others: a URL of theirs changes nothing about it.
 * @throws OptionError if it should
 */
export function checkUrl(servers: Given, client: ClientOfUrl): void {
  for (const [option, value] of Object.entries(urlOptions(servers))) {
    const own = client[option as keyof UrlOptions];
    if (own === value || (option === "tls" && own)) continue;
    throw new OptionError(
      `The URL has another ${option} than the client, which keeps its own; make a new client`,
    );
  }
}

/** A URL's parts, still as they were written. */
interface Url {
  readonly isSecure: boolean;
  readonly user: string | undefined;
  readonly hosts: string;
}

/**
 * Reads `memcached://user:password@host,host`; undefined for anything that is no URL.
 * @throws OptionError for a URL of something else
 */
export function parseUrl(text: string): Url | undefined {
  const match = /^(\w+):\/\/(?:(.*)@)?(.*)$/s.exec(text);
  if (match === null) return undefined;
  const [, scheme, user, hosts] = match;
  if (scheme === "memcached" || scheme === "memcacheds") {
    // The zone of an IPv6 address stands behind a "%", which is percent-encoded in a URL (RFC 6874).
    const zoned = hosts!.replace(/(\[[^[%\]]*)%25/g, "$1%");
    return { isSecure: scheme === "memcacheds", user, hosts: zoned };
  }
  throw new OptionError(
    `A server's URL must begin with "memcached://" or "memcacheds://", not "${scheme}://"`,
  );
}

/** @throws OptionError that does not show the text, which may be a password */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new OptionError("The user or password of a server's URL is not percent-encoded right");
  }
}

/**
 * Faults are data: a script of them can be written as JSON, printed by a failing
 * property test, and played again.
 */
export interface Fault {
  /** When it happens. @defaultValue at every request */
  readonly on?: FaultMatch;
  /** What happens. */
  readonly do: FaultAction;
}

/** Which requests, all conditions together. */
export interface FaultMatch {
  /** A command's name as on the wire (`"get"`, `"mg"`), or `"connect"`, or several. */
  readonly command?: string | readonly string[];
  /** The key, or one of the keys, of the request. */
  readonly key?: string;
  /** The connection's number, counted from 1, or several. */
  readonly connection?: number | readonly number[];
  /** Only from this age of the connection on, in seconds by the server's clock. */
  readonly age?: number;
  /** Which of the requests that fit so far, counted from 1, or several. */
  readonly nth?: number | readonly number[];
  /** Every n-th of them. */
  readonly every?: number;
  /** How often in all, at most. */
  readonly times?: number;
}

/** How a connection ends. `hang`: it stays open and is never heard of again. */
export type Ending = "close" | "reset" | "hang";

/** What happens; docs/testing.md has a line for each `kind`. */
export type FaultAction =
  /** The answer, and all that follow it on this connection, come later. */
  | { readonly kind: "delay"; readonly ms: number }
  /** Nothing is answered on this connection from here on. */
  | { readonly kind: "stall" }
  /** Nothing more is read from this connection. */
  | { readonly kind: "deaf" }
  /** The connection is ended instead of an answer, with FIN or with RST. */
  | { readonly kind: "close" | "reset" }
  /** The request is carried out, and its answer alone never comes. */
  | { readonly kind: "silence" }
  /** These bytes are the answer; the request is carried out only if it says so. */
  | { readonly kind: "answer"; readonly bytes: string; readonly execute?: boolean }
  /** The answer ends after this many bytes, and then the connection. */
  | { readonly kind: "cut"; readonly bytes: number; readonly ending: Ending }
  /** The answer comes a few bytes at a time. */
  | { readonly kind: "trickle"; readonly bytes: number; readonly ms: number }
  /** Bytes that nobody asked for, before or after the answer. */
  | { readonly kind: "before" | "after"; readonly bytes: string }
  /** The answer comes twice. */
  | { readonly kind: "repeat" }
  /** The answer comes after the next one. */
  | { readonly kind: "swap" }
  /** The answer names another key, if it names one. */
  | { readonly kind: "key"; readonly key: string }
  /** The answer carries another opaque, if it carries one. */
  | { readonly kind: "opaque"; readonly opaque: string }
  /** The answer says another length of its value; on the binary protocol of its body, as a number. */
  | { readonly kind: "length"; readonly length: string }
  /** The last two bytes of the answer, its CRLF, are missing. */
  | { readonly kind: "unterminated" }
  /** The connection counts as not authenticated any more. */
  | { readonly kind: "deauthenticate" }
  /** New connections are refused for `ms` milliseconds; those that are there live on. */
  | { readonly kind: "refuse"; readonly ms: number }
  /** All connections are reset, and the server comes back empty after `ms` milliseconds. */
  | { readonly kind: "restart"; readonly ms: number };

/** A request as faults and logs see it. */
export interface Asked {
  readonly connection: number;
  /** The command's name as on the wire, or `"connect"`. */
  readonly command: string;
  readonly keys: readonly string[];
  /** Seconds since the connection began, by the server's clock. */
  readonly age: number;
}

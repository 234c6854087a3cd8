import type { Outgoing } from "../outgoing.js";
import type {
  ArithmeticRequest,
  DeleteRequest,
  GetRequest,
  ServerRequest,
  SetRequest,
} from "../request.js";

/**
 * The classic commands (protocol.txt, "Storage commands" to "Statistics"), for what
 * they can say. All of them were checked before; nothing here looks at a key's bytes.
 */

export function writeGetLine(keys: readonly string[], cas: boolean, out: Outgoing): void {
  out.append(`${cas ? "gets" : "get"} ${keys.join(" ")}\r\n`);
}

export function writeTouch(request: GetRequest, out: Outgoing): void {
  out.append(`touch ${request.key} ${request.touch}${request.noreply ? " noreply" : ""}\r\n`);
}

export function writeSet(request: SetRequest, out: Outgoing): void {
  const { mode, key, data, compareCas } = request;
  const cas = compareCas === undefined ? "" : ` ${compareCas}`;
  const noreply = request.noreply ? " noreply" : "";
  // Short strings are joined at once, longer ones only when all is sent: so the short ones first.
  const end = `${lifeOf(request)}${data.length}${cas}${noreply}\r\n`;
  out.append(`${compareCas === undefined ? mode : "cas"} ${key}${end}`);
  out.appendData(data);
  out.append("\r\n");
}

/** The last flags and exptime as they are written: most sets of a program have the same. */
let lastFlags = 0;
let lastExptime = 0;
let lastLife = " 0 0 ";

function lifeOf({ flags, exptime }: SetRequest): string {
  if (flags !== lastFlags || exptime !== lastExptime) {
    lastFlags = flags;
    lastExptime = exptime;
    lastLife = ` ${flags} ${exptime} `;
  }
  return lastLife;
}

export function writeDelete(request: DeleteRequest, out: Outgoing): void {
  out.append(`delete ${request.key}${request.noreply ? " noreply" : ""}\r\n`);
}

export function writeArithmetic(request: ArithmeticRequest, out: Outgoing): void {
  const noreply = request.noreply ? " noreply" : "";
  out.append(`${request.mode} ${request.key} ${request.delta}${noreply}\r\n`);
}

export function writeAdmin(request: ServerRequest, out: Outgoing): void {
  out.append(`${adminLine(request)}\r\n`);
}

function adminLine(request: ServerRequest): string {
  switch (request.action) {
    case "version":
      return "version";
    case "noop":
      return "mn";
    case "flushAll":
      return `flush_all${request.delay === 0 ? "" : ` ${request.delay}`}${request.noreply ? " noreply" : ""}`;
    case "verbosity":
      return `verbosity ${request.level}`;
    case "stats":
      return request.argument === undefined ? "stats" : `stats ${request.argument}`;
    case "debug":
      // From 1.6.40 on memcached sees the `b` only if another word follows it.
      return request.base64Key
        ? `me ${Buffer.from(request.key, "latin1").toString("base64")} b b`
        : `me ${request.key}`;
  }
}

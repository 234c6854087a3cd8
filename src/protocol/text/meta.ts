import type { Outgoing } from "../outgoing.js";
import type {
  ArithmeticRequest,
  DeleteRequest,
  GetRequest,
  MetaFlags,
  Request,
  SetMode,
  SetRequest,
} from "../request.js";

/**
 * The meta commands (protocol.txt, "Meta Commands"), for what only they can say: hit
 * and ttl metadata, get-and-touch, vivify and recache, cas on delete and arithmetic,
 * initial values, base64 keys. They need memcached 1.6, storing and base64 keys 1.6.10, and 1.6.18
 * is the first to have all of them. What 1.5.19 to 1.5.22 have is another language of the same name.
 */

/** Whether the text wire has to say a request by a meta command. */
export function needsMeta(request: Request): boolean {
  switch (request.verb) {
    case "get":
      return request.meta !== undefined || request.value === (request.touch !== undefined);
    case "set":
      return request.meta !== undefined;
    case "delete":
      return request.meta !== undefined || request.compareCas !== undefined;
    case "arithmetic":
      return request.meta !== undefined || request.initial !== undefined;
    case "admin":
      return request.action === "noop" || request.action === "debug";
  }
}

export function writeMetaGet(request: GetRequest, out: Outgoing): void {
  const { meta } = request;
  let line = start("mg", request.key, meta);
  if (request.touch !== undefined) line += ` T${request.touch}`;
  if (meta?.vivify !== undefined) line += ` N${meta.vivify}`;
  if (meta?.recache !== undefined) line += ` R${meta.recache}`;
  if (meta?.setCas !== undefined) line += ` E${meta.setCas}`;
  if (meta?.unlessCas !== undefined) line += ` C${meta.unlessCas}`;
  if (meta?.noBump) line += " u";
  if (meta?.returnHitBefore) line += " h";
  if (meta?.returnLastAccess) line += " l";
  if (meta?.returnTtl) line += " t";
  if (request.value || meta?.returnFlags) line += " f";
  if (request.cas) line += " c";
  // A size says as much as a bare hit; memcached before 1.6.18 wants at least one flag.
  if (meta?.returnSize || !request.value) line += " s";
  // To a single one 1.5.22 has an answer that no other has.
  if (meta === undefined && !request.value) line += " t";
  if (request.value) line += " v";
  out.append(`${line}\r\n`);
}

const SET_MODES: Readonly<Record<SetMode, string>> = {
  set: "",
  add: " ME",
  replace: " MR",
  append: " MA",
  prepend: " MP",
};

export function writeMetaSet(request: SetRequest, out: Outgoing): void {
  const { meta } = request;
  let line = start("ms", request.key, meta, request.data.length);
  line += `${SET_MODES[request.mode]} F${request.flags} T${request.exptime}`;
  if (request.compareCas !== undefined) line += ` C${request.compareCas}`;
  if (meta?.setCas !== undefined) line += ` E${meta.setCas}`;
  if (meta?.vivify !== undefined) line += ` N${meta.vivify}`;
  if (meta?.invalidate) line += " I";
  if (meta?.returnSize) line += " s";
  if (meta?.returnCas) line += " c";
  out.append(`${line}\r\n`);
  out.appendData(request.data);
  out.append("\r\n");
}

export function writeMetaDelete(request: DeleteRequest, out: Outgoing): void {
  const { meta } = request;
  let line = start("md", request.key, meta);
  if (request.compareCas !== undefined) line += ` C${request.compareCas}`;
  if (meta?.setCas !== undefined) line += ` E${meta.setCas}`;
  if (meta?.invalidate) line += " I";
  if (meta?.exptime !== undefined) line += ` T${meta.exptime}`;
  if (meta?.dropValue) line += " x";
  out.append(`${line}\r\n`);
}

export function writeMetaArithmetic(request: ArithmeticRequest, out: Outgoing): void {
  const { meta } = request;
  let line = start("ma", request.key, meta);
  line += `${request.mode === "decr" ? " MD" : ""} D${request.delta}`;
  if (request.initial !== undefined) line += ` N${request.initialExptime} J${request.initial}`;
  if (meta?.compareCas !== undefined) line += ` C${meta.compareCas}`;
  if (meta?.setCas !== undefined) line += ` E${meta.setCas}`;
  if (meta?.exptime !== undefined) line += ` T${meta.exptime}`;
  if (meta?.returnTtl) line += " t";
  if (meta?.returnCas) line += " c";
  if (meta?.returnValue !== false) line += " v";
  out.append(`${line}\r\n`);
}

/** The command's name, its key, the length of its data, and what all of them can carry. */
function start(name: string, key: string, meta: MetaFlags | undefined, length?: number): string {
  const base64 = meta?.base64Key === true;
  let line = `${name} ${base64 ? Buffer.from(key, "latin1").toString("base64") : key}`;
  if (length !== undefined) line += ` ${length}`;
  if (base64) line += " b";
  if (meta?.returnKey) line += " k";
  if (meta?.opaque !== undefined) line += ` O${meta.opaque}`;
  return line;
}

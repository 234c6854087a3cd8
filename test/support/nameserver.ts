import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { isIPv6 } from "node:net";

/** A service's record, as node:dns has it. */
export interface Service {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** What a name server knows of a name. */
export interface Zone {
  readonly addresses?: readonly string[];
  readonly services?: readonly Service[];
}

/** How a name server answers in the place of records. */
type Failing = "SERVFAIL" | "NXDOMAIN" | "silence";

const [A, AAAA, SRV] = [1, 28, 33];
const RCODES: Readonly<Record<string, number>> = { SERVFAIL: 2, NXDOMAIN: 3 };

/** A DNS server over UDP (RFC 1035) that knows what a test tells it. */
export class NameServer implements AsyncDisposable {
  readonly zones = new Map<string, Zone>();
  /** Types of records for which it fails, and how. */
  readonly failing = new Map<"A" | "AAAA" | "SRV", Failing>();
  /** How many questions came. */
  questions = 0;
  readonly #socket: Socket = createSocket("udp4");

  static start(): Promise<NameServer> {
    const server = new NameServer();
    server.#socket.on("message", (query, from) => server.#hear(query, from));
    return new Promise((resolve) => {
      server.#socket.bind(0, "127.0.0.1", () => resolve(server));
    });
  }

  /** A resolver that asks this server, and soon gives up. */
  resolver(): Resolver {
    const resolver = new Resolver({ timeout: 500, tries: 1 });
    resolver.setServers([`127.0.0.1:${this.#socket.address().port}`]);
    return resolver;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #hear(query: Buffer, from: RemoteInfo): void {
    this.questions++;
    const { name, type, end } = questionOf(query);
    const kind = type === A ? "A" : type === AAAA ? "AAAA" : "SRV";
    const failure = this.failing.get(kind);
    if (failure === "silence") return;
    const zone = this.zones.get(name);
    const records = failure === undefined && zone !== undefined ? recordsOf(zone, type) : [];
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180 | (RCODES[failure ?? (zone ? "" : "NXDOMAIN")] ?? 0), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    const answers = records.map((data) => record(type, data));
    const reply = Buffer.concat([header, query.subarray(12, end), ...answers]);
    this.#socket.send(reply, from.port, from.address);
  }
}

function questionOf(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join(".").toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function recordsOf({ addresses = [], services = [] }: Zone, type: number): Buffer[] {
  if (type === A) {
    return addresses
      .filter((address) => !isIPv6(address))
      .map((address) => Buffer.from(address.split(".").map(Number)));
  }
  if (type === AAAA) return addresses.filter((address) => isIPv6(address)).map(ipv6);
  return type === SRV ? services.map(service) : [];
}

/** A record of the question's own name, which a pointer to it says. */
function record(type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(1, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function ipv6(address: string): Buffer {
  const [left = "", right = ""] = address.split("::");
  const words = (text: string) => text.split(":").filter((word) => word !== "");
  const zeros = Array.from({ length: 8 - words(left).length - words(right).length }, () => "0");
  const all = [...words(left), ...zeros, ...words(right)].map((word) => Number.parseInt(word, 16));
  return Buffer.from(all.flatMap((word) => [word >> 8, word & 0xff]));
}

function service({ name, port, priority, weight }: Service): Buffer {
  const numbers = Buffer.alloc(6);
  numbers.writeUInt16BE(priority, 0);
  numbers.writeUInt16BE(weight, 2);
  numbers.writeUInt16BE(port, 4);
  const labels = name.split(".").filter((label) => label !== "");
  const written = labels.map((label) =>
    Buffer.from(`${String.fromCharCode(label.length)}${label}`),
  );
  return Buffer.concat([numbers, ...written, Buffer.alloc(1)]);
}

import { readFileSync } from "node:fs";
import { MemcachedServer } from "tslibmc/testing";
import { describe, expect, it } from "vitest";
import { Wire } from "./support/wire.js";

/** One direction of a recorded conversation between pylibmc and memcached 1.6.18. */
interface Piece {
  readonly server: number;
  readonly conn: number;
  readonly dir: string;
  readonly hex?: string;
}

interface Scenario {
  readonly id: string;
  readonly servers: readonly string[];
  readonly sasl?: object;
  readonly calls: readonly { readonly exchange: readonly Piece[] }[];
}

const { scenarios }: { scenarios: readonly Scenario[] } = JSON.parse(
  readFileSync(new URL("../vectors/wire-commands.json", import.meta.url), "utf8"),
);

/** Statistics tell of processes and times. */
const COMPARABLE = scenarios.filter(({ id }) => !id.startsWith("stats/"));

/** The cas of binary replies and of `gets`, which goes on counting where the recorder's server stood. */
function withoutCas(hex: string): string {
  const bytes = Buffer.from(hex, "hex").toString("latin1");
  if (!bytes.startsWith("\x81")) {
    return bytes.replace(/^(VALUE \S+ \d+ \d+) \d+\r$/gm, "$1 CAS\r");
  }
  let packets = "";
  for (let at = 0; at < bytes.length; ) {
    const end = at + 24 + Buffer.from(bytes.slice(at + 8, at + 12), "latin1").readUInt32BE(0);
    packets += `${bytes.slice(at, at + 16)}CAS${bytes.slice(at + 24, end)}`;
    at = end;
  }
  return packets;
}

describe("conversations recorded between pylibmc and memcached", () => {
  it.each(COMPARABLE.map((scenario) => [scenario.id, scenario] as const))(
    "%s",
    async (_, scenario) => {
      const servers = await Promise.all(
        scenario.servers.map(() =>
          MemcachedServer.start({
            compat: "1.6.18",
            sasl: scenario.sasl === undefined ? undefined : { user1: "pass1" },
          }),
        ),
      );
      const wires = new Map<string, Wire>();
      let compared = 0;
      for (const { server, conn, dir, hex } of scenario.calls.flatMap(({ exchange }) => exchange)) {
        const name = `${server}/${conn}`;
        const wire = wires.get(name) ?? Wire.to(servers[server]!);
        wires.set(name, wire);
        if (hex === undefined) {
          if (dir === "closed") await wire.ended;
          continue;
        }
        if (dir === "c2s") {
          wire.send(Buffer.from(hex, "hex").toString("latin1"));
        } else {
          const reply = await wire.bytes(hex.length / 2);
          const got = Buffer.from(reply, "latin1").toString("hex");
          expect(withoutCas(got)).toBe(withoutCas(hex));
          compared++;
        }
      }
      expect(compared).toBeGreaterThan(0);
      for (const wire of wires.values()) wire.close();
      for (const server of servers) await server.close();
    },
  );
});

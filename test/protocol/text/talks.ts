import fc from "fast-check";
import type { Request } from "../../../src/protocol/request.js";
import { count, del, get, getMany, set, stats, version } from "./exchanges.js";

/** A request with a reply that a server could give to it, and what that means. */
export interface Talk {
  readonly request: Request;
  /** What stands for it in the reply to its line; a get that shares one has no END of its own. */
  readonly reply: string;
  readonly outcome: unknown;
}

const key = fc.string({ unit: fc.constantFrom(..."abcdef"), minLength: 1, maxLength: 3 });
const bytes = fc.oneof(
  fc.string({ unit: "binary-ascii", maxLength: 40 }),
  fc.constantFrom("END\r\n", "VALUE a 0 1\r\n", "\r\n", "STORED\r\n", ""),
);
const flags = fc.nat(0xffffffff);
const casToken = fc.bigInt(0n, 2n ** 64n - 1n);
const line = fc.string({ unit: fc.constantFrom(..."abc 123"), maxLength: 20 });

function hit(data: string, itemFlags: number, cas?: bigint, index = 0) {
  return { index, data, flags: itemFlags, cas, info: undefined };
}

const single: fc.Arbitrary<Talk> = fc
  .record({ key, bytes, flags, cas: fc.option(casToken, { nil: undefined }), there: fc.boolean() })
  .map(({ key, bytes, flags, cas, there }) => ({
    request: get(key, { cas: cas !== undefined }),
    reply: there
      ? `VALUE ${key} ${flags} ${bytes.length}${cas === undefined ? "" : ` ${cas}`}\r\n${bytes}\r\n`
      : "",
    outcome: { items: there ? [hit(bytes, flags, cas)] : [], end: "miss" },
  }));

const many: fc.Arbitrary<Talk> = fc
  .uniqueArray(fc.tuple(key, bytes, flags, fc.boolean()), {
    minLength: 1,
    maxLength: 8,
    selector: ([key]) => key,
  })
  .map((entries) => {
    const found = entries.flatMap(([key, bytes, flags, there], index) =>
      there ? [{ key, bytes, flags, index }] : [],
    );
    return {
      request: getMany(entries.map(([key]) => key)),
      reply: `${found
        .map(({ key, bytes, flags }) => `VALUE ${key} ${flags} ${bytes.length}\r\n${bytes}\r\n`)
        .join("")}END\r\n`,
      outcome: {
        items: found.map(({ bytes, flags, index }) => hit(bytes, flags, undefined, index)),
        end: "miss",
      },
    };
  });

const metaGet: fc.Arbitrary<Talk> = fc
  .record({ key, bytes, flags, there: fc.boolean() })
  .map(({ key, bytes, flags, there }) => ({
    request: get(key, { touch: 0 }),
    reply: there ? `VA ${bytes.length} f${flags}\r\n${bytes}\r\n` : "EN\r\n",
    outcome: there
      ? { items: [{ ...hit(bytes, flags), info: { flags } }], end: "hit" }
      : { items: [], end: ["miss", {}] },
  }));

function word(request: fc.Arbitrary<Request>, words: readonly [string, unknown][]) {
  return fc.tuple(request, fc.constantFrom(...words)).map(
    ([request, [reply, end]]): Talk => ({
      request,
      reply: `${reply}\r\n`,
      outcome: { items: [], end },
    }),
  );
}

const storage = word(
  fc.tuple(key, bytes).map(([key, bytes]) => set(key, Buffer.from(bytes, "latin1"))),
  [
    ["STORED", "stored"],
    ["NOT_STORED", "notStored"],
    ["SERVER_ERROR out of memory", "serverError: SERVER_ERROR out of memory"],
  ],
);
const deletion = word(
  key.map((key) => del(key)),
  [
    ["DELETED", "ok"],
    ["NOT_FOUND", "notFound"],
    ["CLIENT_ERROR bad", "clientError: CLIENT_ERROR bad"],
  ],
);
const counting = word(
  key.map((key) => count(key)),
  [
    ["7", 7],
    ["18446744073709551615", 2n ** 64n - 1n],
    ["NOT_FOUND", "notFound"],
  ],
);
const admin: fc.Arbitrary<Talk> = fc.oneof(
  line.map((text) => ({
    request: version,
    reply: `VERSION ${text}\r\n`,
    outcome: { items: [], end: text },
  })),
  line.map((text) => ({
    request: stats(),
    reply: `STAT name ${text}\r\nEND\r\n`,
    outcome: { items: [], end: { name: text } },
  })),
);

/** No key twice in a batch, since a server that has an item gives it to all that ask. */
export const talks: fc.Arbitrary<Talk[]> = fc.uniqueArray(
  fc.oneof({ weight: 4, arbitrary: single }, many, metaGet, storage, deletion, counting, admin),
  {
    minLength: 1,
    maxLength: 30,
    selector: ({ request }) => ("key" in request ? request.key : request),
  },
);

/** The replies of a batch: gets that are neighbours and alike share one END. */
export function replies(batch: readonly Talk[]): string {
  return batch
    .map(({ request, reply }, i) => {
      if (request.verb !== "get" || request.keys !== undefined || request.touch !== undefined)
        return reply;
      const next = batch[i + 1]?.request;
      const joined =
        next?.verb === "get" &&
        next.keys === undefined &&
        next.touch === undefined &&
        next.cas === request.cas;
      return joined ? reply : `${reply}END\r\n`;
    })
    .join("");
}

import { isIPv4 } from "node:net";
import { OptionError } from "../errors.js";
import type { HashFunction } from "../hash/function.js";
import { md5Words } from "../hash/md5.js";
import { wireForm } from "../hash/wireform.js";
import { builtin } from "../util/builtin.js";
import type { Group, PointRule } from "./circle.js";
import type { RingServer } from "./ring.js";

const crypto = builtin("node:crypto");

/** What a server's points are made of, before the number of each. */
export type Label = (server: RingServer) => string;

/** libmemcached's: the port only if it is not 11211, a Unix socket with port 0. */
export const shortLabel: Label = ({ host, port }) =>
  wireForm(port === 11211 ? host : `${host}:${port}`);

/** Last.fm's: the address as its configuration has it, always with the port. */
export const fullLabel: Label = ({ host, port }) => wireForm(`${host}:${port}`);

/** libmemcached's idea of spymemcached. */
export const slashLabel: Label = ({ host, port }) => wireForm(`/${host}:${port}`);

/**
 * spymemcached's own: how Java prints a socket address. For a name that includes the
 * address it resolved to, which nobody can know here.
 * @throws OptionError for anything but an IPv4 address
 */
export const socketAddressLabel: Label = ({ host, port }) => {
  if (isIPv4(host)) return `${host}:${port}`;
  throw new OptionError(
    `spymemcached places keys by the address a name resolves to; give ${JSON.stringify(host)} as an IPv4 address`,
  );
};

/** 100 points a server, each the *key's* hash of `label-i`. */
export function hashedPoints(hash: HashFunction, label: Label): PointRule {
  return {
    draws: () => 100,
    pointsPerDraw: 1,
    draw: (server, from, to) => {
      const name = label(server);
      return numbers(from, to).map((i) => hash(`${name}-${i}`));
    },
  };
}

/** Four points of each MD5 of `label-i`, as many digests as `count` says. */
export function md5Points(
  label: Label,
  count: (server: RingServer, group: Group) => number,
): PointRule {
  return {
    draws: count,
    pointsPerDraw: 4,
    draw: (server, from, to) => {
      const name = label(server);
      return numbers(from, to).flatMap((i) => md5Words(`${name}-${i}`));
    },
  };
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/**
 * A server's share of 40 digests a server in libmemcached and spymemcached. Each step is
 * rounded to 32-bit floats as in C, so that weights 1 to 5 make 792 points, not 800.
 */
export function weightedDigests({ weight }: RingServer, group: Group): number {
  const f32 = Math.fround;
  const share = f32(weight / group.weight);
  return Math.floor(f32(f32(f32(f32(share * 160) / 4) * group.size) + 1e-10));
}

/** The same share in Last.fm's libketama: 64-bit steps between two roundings. */
export function ketamaDigests({ weight }: RingServer, group: Group): number {
  return Math.floor(Math.fround(Math.fround(weight / group.weight) * 40 * group.size));
}

/** Dalli's: the first word, big-endian, of each SHA-1 of `name:i`, 160 a server by weight. */
export const sha1Points: PointRule = {
  draws: ({ weight }, group) => Math.floor((group.size * 160 * weight) / group.weight),
  pointsPerDraw: 1,
  draw: ({ host, port }, from, to) => {
    const name = port === 0 ? host : `${host}:${port}`;
    return numbers(from, to).map((i) =>
      crypto().createHash("sha1").update(`${name}:${i}`).digest().readUInt32BE(0),
    );
  },
};

import { Placement, type PlacementOptions } from "../../src/ring/placement.js";
import type { Step } from "./step.js";

const KEYS = Array.from({ length: 256 }, (_, i) => `user:profile:${1_000_000 + i}`);

const SIZES = [1, 10, 100, 1000];

/** Finding a key's server, hashing included, and making the ring. */
export function ring(): Step[] {
  const ketama = { behaviors: { ketama: true } };
  const weighted = { behaviors: { ketama_weighted: true } };
  const rendezvous = { behaviors: { distribution: "rendezvous" } } as const;
  return [
    locate("modula, 3 servers", {}, 3),
    ...SIZES.map((size) => locate(`ketama, ${size} servers`, ketama, size)),
    ...SIZES.map((size) => locate(`weighted ketama, ${size} servers`, weighted, size)),
    ...SIZES.map((size) => locate(`rendezvous, ${size} servers`, rendezvous, size)),
    ...SIZES.map((size) => build(`a ketama ring of ${size}`, ketama, size)),
    ...SIZES.map((size) => build(`a weighted ring of ${size}`, weighted, size)),
  ];
}

function build(name: string, options: PlacementOptions, servers: number): Step {
  return { name, run: () => placement(options, servers) };
}

function locate(name: string, options: PlacementOptions, servers: number): Step {
  const ring = placement(options, servers);
  return { name, run: (i) => ring.locate(KEYS[i & 255]!) };
}

function placement(options: PlacementOptions, servers: number): Placement {
  const list = Array.from({ length: servers }, (_, i) => ({
    ...{ host: `10.0.${i >> 8}.${i & 255}`, port: 11211, weight: 1 },
  }));
  return new Placement(options, list);
}

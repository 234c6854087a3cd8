import { Placement, type PlacementOptions } from "../../src/ring/placement.js";
import type { Step } from "./step.js";

const KEYS = Array.from({ length: 256 }, (_, i) => `user:profile:${1_000_000 + i}`);

/** Finding a key's server, hashing included, and making the ring. */
export function ring(): Step[] {
  const ketama = { behaviors: { ketama: true } };
  return [
    locate("modula, 3 servers", {}, 3),
    locate("ketama, 1 server", ketama, 1),
    locate("ketama, 3 servers", ketama, 3),
    locate("ketama, 100 servers", ketama, 100),
    locate("weighted ketama, 100 servers", { behaviors: { ketama_weighted: true } }, 100),
    { name: "a ketama ring of 3", run: () => placement(ketama, 3) },
    { name: "a ketama ring of 100", run: () => placement(ketama, 100) },
  ];
}

function locate(name: string, options: PlacementOptions, servers: number): Step {
  const ring = placement(options, servers);
  return { name, run: (i) => ring.locate(KEYS[i & 255]!) };
}

function placement(options: PlacementOptions, servers: number): Placement {
  const list = Array.from({ length: servers }, (_, i) => ({
    ...{ host: `10.0.0.${i}`, port: 11211, weight: 1 },
  }));
  return new Placement(options, list);
}

import { renewed, untrusted } from "./certificates.js";
import { undiscoverable } from "./discovery.js";
import { blackHoled, moved, slow } from "./network.js";
import { flapping, killed, restarted, stopped } from "./processes.js";
import type { Fault } from "./stage.js";

/** Every fault that there is a scenario of. */
export async function allFaults(): Promise<Fault[]> {
  return [
    killed,
    stopped,
    await blackHoled(),
    flapping,
    slow,
    restarted,
    moved,
    renewed,
    untrusted,
    undiscoverable,
  ];
}

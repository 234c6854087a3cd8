import { FLUSHING } from "../support/scenario/policy.js";
import { flapping, killed, restarted, stopped } from "../support/scenario/processes.js";
import { playing } from "./playing.js";

playing(killed);
playing(stopped);
playing(stopped, [FLUSHING]);
playing(restarted);
playing(flapping);

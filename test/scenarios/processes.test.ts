import { flapping, killed, restarted, stopped } from "../support/scenario/processes.js";
import { playing } from "./playing.js";

playing(killed);
playing(stopped);
playing(restarted);
playing(flapping);

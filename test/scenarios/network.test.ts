import { blackHoled, moved, slow } from "../support/scenario/network.js";
import { playing } from "./playing.js";

playing(await blackHoled());
playing(slow);
playing(moved);

import { undiscoverable } from "../support/scenario/discovery.js";
import { playing } from "./playing.js";

playing(undiscoverable);

import { renewed, untrusted } from "../support/scenario/certificates.js";
import { playing } from "./playing.js";

playing(renewed);
playing(untrusted);

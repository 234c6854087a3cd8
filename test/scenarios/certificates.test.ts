import { expect } from "vitest";
import { renewed, untrusted } from "../support/scenario/certificates.js";
import { playing } from "./playing.js";

playing(renewed);
playing(untrusted, (_policy, { errorNames }) => {
  expect(["ConnectError", "PartialError"]).toEqual(expect.arrayContaining(Object.keys(errorNames)));
});

import { encodeKey } from "../../src/protocol/key.js";
import type { Step } from "./step.js";

/** Checking keys and taking them into their wire form. */
export function key(): Step[] {
  return [
    step("20 bytes", "user:profile:1234567"),
    step("20 bytes, with a prefix", "user:profile:1234567", "app:"),
    step("200 bytes", "user:profile:1234567".repeat(10)),
    step("20 characters, one é", "user:profilé:1234567"),
    step("20 bytes, as Uint8Array", Buffer.from("user:profile:1234567")),
  ];
}

function step(name: string, key: string | Uint8Array, prefix?: string): Step {
  return { name, run: () => encodeKey(key, prefix) };
}

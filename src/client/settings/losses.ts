import { type MemcachedError, PartialError } from "../../errors.js";

/** The errors of changes that were held back, the first of each server, until the program is told. */
export class Losses {
  #errors = new Map<string, MemcachedError>();

  note(server: string, error: MemcachedError): void {
    if (!this.#errors.has(server)) this.#errors.set(server, error);
  }

  /** What `flush` tells. @throws PartialError for what was noted since the last time */
  tell(): void {
    const [first] = this.#errors;
    if (first === undefined) return;
    const [server, cause] = first;
    const errors = this.#errors;
    this.#errors = new Map();
    throw new PartialError(
      `flush: changes that were held back are lost, the first at ${server}: ${cause.message}`,
      true,
      errors,
      { server, command: "flush", sent: cause.sent, cause },
    );
  }
}

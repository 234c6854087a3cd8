import type { Encoded, Serializer } from "tslibmc";

/** A serializer that encodes nothing, and decodes nothing, until it is opened. */
export class Gate {
  open: () => void = () => {};
  readonly #opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
  readonly serializer: Serializer = {
    serialize: async (value): Promise<Encoded> => {
      await this.#opened;
      return { data: JSON.stringify(value), flags: 0 };
    },
    deserialize: async (data) => {
      await this.#opened;
      return JSON.parse(Buffer.from(data).toString());
    },
  };
}

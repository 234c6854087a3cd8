/** A pickle in the making. */
export class PickleOutput {
  #bytes: Buffer = Buffer.allocUnsafe(256);
  #length = 0;

  /** Makes room for `size` bytes, and says where they go. */
  #take(size: number): number {
    const at = this.#length;
    const length = at + size;
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    this.#length = length;
    return at;
  }

  uint8(value: number): void {
    const at = this.#take(1);
    this.#bytes[at] = value;
  }

  uint16(value: number): void {
    const at = this.#take(2);
    this.#bytes.writeUInt16LE(value, at);
  }

  uint32(value: number): void {
    const at = this.#take(4);
    this.#bytes.writeUInt32LE(value, at);
  }

  int32(value: number): void {
    const at = this.#take(4);
    this.#bytes.writeInt32LE(value, at);
  }

  float64(value: number): void {
    const at = this.#take(8);
    this.#bytes.writeDoubleBE(value, at);
  }

  bytes(data: Uint8Array): void {
    const at = this.#take(data.length);
    this.#bytes.set(data, at);
  }

  ascii(text: string): void {
    const at = this.#take(text.length);
    this.#bytes.write(text, at, "latin1");
  }

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }
}

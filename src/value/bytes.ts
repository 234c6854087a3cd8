/** `bytes[start, end)` as bytes that outlive the read buffer. */
export function ownBytes(bytes: Buffer, start: number, end: number, owned: boolean): Buffer {
  if (owned) return bytes.subarray(start, end);
  const copy = Buffer.allocUnsafe(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}

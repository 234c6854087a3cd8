/** Four bytes of a string in wire form as a little-endian word. */
export function wordAt(key: string, at: number): number {
  return (
    key.charCodeAt(at) |
    (key.charCodeAt(at + 1) << 8) |
    (key.charCodeAt(at + 2) << 16) |
    (key.charCodeAt(at + 3) << 24)
  );
}

/** The same where the string may end first, with zeros for what is not there. */
export function wordAtEnd(key: string, at: number): number {
  let word = 0;
  for (let i = Math.min(at + 4, key.length) - 1; i >= at; i--)
    word = (word << 8) | key.charCodeAt(i);
  return word;
}

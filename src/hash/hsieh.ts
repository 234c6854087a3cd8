/**
 * Paul Hsieh's SuperFastHash (azillionmonkeys.com/qed/hash.html). Most builds of
 * libmemcached leave it out, and pylibmc then refuses the name; placement here is as
 * in a build that has it.
 */
export function hsieh(key: string): number {
  const { length } = key;
  if (length === 0) return 0;

  let hash = 0;
  let i = 0;
  for (; length - i >= 4; i += 4) {
    hash = (hash + half(key, i)) | 0;
    hash = (hash << 16) ^ (half(key, i + 2) << 11) ^ hash;
    hash = (hash + (hash >>> 11)) | 0;
  }

  switch (length - i) {
    case 3:
      hash = (hash + half(key, i)) | 0;
      hash ^= hash << 16;
      // Here a byte is a signed `char`; in the halves it is not.
      hash ^= ((key.charCodeAt(i + 2) << 24) >> 24) << 18;
      hash = (hash + (hash >>> 11)) | 0;
      break;
    case 2:
      hash = (hash + half(key, i)) | 0;
      hash ^= hash << 11;
      hash = (hash + (hash >>> 17)) | 0;
      break;
    case 1:
      hash = (hash + key.charCodeAt(i)) | 0;
      hash ^= hash << 10;
      hash = (hash + (hash >>> 1)) | 0;
      break;
  }

  hash ^= hash << 3;
  hash = (hash + (hash >>> 5)) | 0;
  hash ^= hash << 4;
  hash = (hash + (hash >>> 17)) | 0;
  hash ^= hash << 25;
  return (hash + (hash >>> 6)) >>> 0;
}

/** Two bytes as a little-endian number. */
function half(key: string, at: number): number {
  return key.charCodeAt(at) | (key.charCodeAt(at + 1) << 8);
}

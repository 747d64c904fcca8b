// Once, since a test runner looks globals up slowly.
const { imul } = Math;

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);

/** A number of 32 bits for a key as the cache indexes it, each bit as good as any other. */
export function hashOfKey(key: unknown, seed: number): number {
  if (typeof key === 'number') {
    float[0] = key;
    return mixed(mixed(seed ^ (words[0] as number)) ^ (words[1] as number));
  }
  return hashOfText(typeof key === 'string' ? key : String(key), seed);
}

function hashOfText(text: string, seed: number): number {
  let hash = seed ^ text.length;
  for (let at = 0; at < text.length; at++) {
    hash = imul(hash ^ text.charCodeAt(at), 0x5bd1_e995);
    hash ^= hash >>> 15;
  }
  return mixed(hash);
}

/** The finalizer of MurmurHash3, by Austin Appleby (public domain). */
export function mixed(hash: number): number {
  hash = imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

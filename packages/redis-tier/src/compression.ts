import { deflateRawSync, inflateRawSync } from 'node:zlib';

/** What is compressed and inflated at most, in bytes: 16 MiB, some tens of milliseconds of work. */
export const MAX_INFLATED = 16 * 1024 * 1024;

/** Within the chunks that zlib takes, one that most of what is inflated fits into as a whole. */
const SMALLEST_CHUNK = 64;
const LARGEST_CHUNK = 64 * 1024;

/**
 * A payload in fewer bytes, as raw deflate; `undefined` where it is better kept as it is: when it has
 * no more than `above` bytes, when it has more than `MAX_INFLATED`, when it would not get smaller.
 */
export function deflate(payload: Uint8Array, above: number): Buffer | undefined {
  if (payload.length <= above || payload.length > MAX_INFLATED) return undefined;
  const deflated = deflateRawSync(payload, { level: 1 });
  return deflated.length < payload.length ? deflated : undefined;
}

/**
 * The payload that `deflate` made this of. Bytes that would inflate to more than they declare cost no
 * more time and memory than what they declare.
 *
 * @param length - how many bytes the payload has, as declared beside it
 * @throws when it declares more than `MAX_INFLATED`, when the bytes are damaged, and when they inflate
 * to more or less than declared
 */
export function inflate(deflated: Uint8Array, length: number): Buffer {
  if (length < 1 || length > MAX_INFLATED) {
    throw new RangeError(
      `a compressed payload may declare 1 to ${MAX_INFLATED} bytes, got ${length}`,
    );
  }
  const inflated = inflateRawSync(deflated, {
    maxOutputLength: length,
    // One byte of room tells zlib that it has come to the end. A value that is a view keeps its chunk.
    chunkSize: Math.min(Math.max(length + 1, SMALLEST_CHUNK), LARGEST_CHUNK),
  });
  if (inflated.length !== length) {
    throw new RangeError(
      `a compressed payload declares ${length} bytes and has ${inflated.length}`,
    );
  }
  return inflated;
}

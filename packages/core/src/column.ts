/** From here on a column takes at once all that it may need. */
const LARGE = 2 ** 20;
/** Unless that is more than this. */
const MOST_AT_ONCE = 2 ** 24;

/**
 * How many cells a full column gets: twice as many, since it is copied for them, and `most` at most. To copy a
 * column of millions stops the process, so a store of a million entries gets room for `most` in one step.
 */
export function grownLength(length: number, most: number): number {
  if (length >= LARGE && most <= MOST_AT_ONCE) return Math.max(length, most);
  return Math.min(length * (length < 1024 ? 4 : 2), most);
}

/** Cells of 0. */
export function float64Column(length: number): Float64Array {
  return new Float64Array(bytesFor(length, 8));
}

export function uint32Column(length: number): Uint32Array {
  return new Uint32Array(bytesFor(length, 4));
}

export function uint8Column(length: number): Uint8Array {
  return new Uint8Array(bytesFor(length, 1));
}

/**
 * V8 answers each 64 MB that ArrayBuffers grow with a full garbage collection, which stops a process of ten
 * million entries for 0.4 s. It does not count what could be shared with other threads; a page in a browser may
 * not have that.
 */
function bytesFor(length: number, size: number): ArrayBufferLike {
  if (length >= LARGE && typeof SharedArrayBuffer === 'function') {
    try {
      return new SharedArrayBuffer(length * size);
    } catch {
      // The platform bounds it more tightly than the other.
    }
  }
  return new ArrayBuffer(length * size);
}

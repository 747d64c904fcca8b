import type { ByteReader } from './byte-reader.js';
import type { ObjectShape } from './object-shape.js';

/** So many shapes are kept. */
export const MOST_RECENT = 8;
/** Longer ones are likely to be of dictionaries, no two of which have the same. */
const MOST_BYTES = 256;

interface RecentShape {
  /** How a message tells it, after its tag. */
  readonly bytes: Uint8Array;
  readonly shape: ObjectShape;
}

/**
 * The shapes that messages told lately, each with its bytes: the next message is likely to tell the same,
 * and to compare bytes is faster than to read texts. Equal bytes are the same names, whoever wrote them.
 */
export class RecentShapes {
  readonly #shapes: RecentShape[] = [];
  /** Where the next one goes: in place of the oldest, once there are enough. */
  #nextAt = 0;

  /** Reads the shape that comes next; `undefined`, and nothing is read, when it is none of these. */
  next(reader: ByteReader): ObjectShape | undefined {
    for (const { bytes, shape } of this.#shapes) if (reader.skipIf(bytes)) return shape;
    return undefined;
  }

  /** @param start - where the shape began that was read last */
  add(shape: ObjectShape, reader: ByteReader, start: number): void {
    if (reader.at - start > MOST_BYTES) return;
    this.#shapes[this.#nextAt] = { bytes: reader.since(start), shape };
    this.#nextAt = (this.#nextAt + 1) % MOST_RECENT;
  }
}

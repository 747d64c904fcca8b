import {
  BEGINNING_LENGTH,
  CRC_LENGTH,
  idIn,
  PLACEHOLDER,
  writeBeginning,
  writeExactly,
} from './beginning.js';
import { crc32 } from './crc32.js';
import {
  endOfTags,
  lengthOfTags,
  readStamps,
  readTags,
  STAMP_LENGTH,
  writeTags,
} from './stamped-tags.js';

/** What was valid when something was loaded, or began to be: others mean it was invalidated since. */
export interface Stamps {
  readonly namespace: Buffer;
  /** One for each tag, in their order. */
  readonly tags: readonly Buffer[];
}

/** Somebody is loading, in the light of the stamps of then. */
export interface Placeholder {
  readonly kind: 'placeholder';
  readonly id: Buffer;
  /** The tags that were known before the load. */
  readonly tags: readonly string[];
  readonly stamps: Stamps;
}

const TAGS_AT = BEGINNING_LENGTH + STAMP_LENGTH;

/**
 * The bytes that say somebody is loading; `envelope.ts` tells what they mean.
 *
 * @throws InvalidOptionError for tags that no entry could have
 */
export function writePlaceholder(id: Buffer, tags: readonly string[], stamps: Stamps): Buffer {
  const out = Buffer.allocUnsafe(TAGS_AT + lengthOfTags(tags, stamps.tags) + CRC_LENGTH);
  writeBeginning(out, PLACEHOLDER, id);
  writeExactly(out, BEGINNING_LENGTH, stamps.namespace, STAMP_LENGTH);
  const end = writeTags(out, TAGS_AT, tags, stamps.tags);
  out.writeUInt32BE(crc32(out, 0, end), end);
  return out;
}

/** What a placeholder says, in buffers of its own; a text says why it says nothing. */
export function readPlaceholder(bytes: Buffer): Placeholder | string {
  const end = bytes.length - CRC_LENGTH;
  if (end < TAGS_AT || endOfTags(bytes, TAGS_AT, end) !== end) {
    return `its ${bytes.length} bytes are not as many as it declares`;
  }
  if (bytes.readUInt32BE(end) !== crc32(bytes, 0, end)) return 'it is damaged';
  const copy = Buffer.from(bytes);
  const tags = readTags(copy, TAGS_AT, end);
  if (tags === undefined) return 'one of its tags is no text';
  const namespace = copy.subarray(BEGINNING_LENGTH, TAGS_AT);
  return {
    kind: 'placeholder',
    id: idIn(copy),
    tags,
    stamps: { namespace, tags: readStamps(copy, TAGS_AT, end) },
  };
}

import type { Entry } from '@acache/core';
import type { BlockWriter, Written } from './block-writer.js';
import { BLOCK_OVERHEAD } from './current-log.js';
import { unserializable } from './failure.js';
import { LOG_START } from './file-head.js';
import type { Settings } from './options.js';
import type { RecordIndex } from './record-index.js';
import { RestoredEntry } from './restored-entry.js';

/** Bytes of a value: with what stands around it, a system call can still write it at once. */
const LONGEST_VALUE = 1024 ** 3;

/** What became of a key, and the record that says so. */
export interface Change {
  readonly key: string;
  readonly entry: Entry | undefined;
  readonly written: Written | undefined;
}

/** Makes records of changes. */
export class ChangeEncoder {
  readonly #index: RecordIndex;
  readonly #settings: Pick<Settings, 'serializer' | 'maxBytes'>;

  constructor(index: RecordIndex, settings: Pick<Settings, 'serializer' | 'maxBytes'>) {
    this.#index = index;
    this.#settings = settings;
  }

  /**
   * @param errors - where it is told of a value that has no form in bytes
   * @returns `undefined` where the file need not hear of it
   */
  encode(
    writer: BlockWriter,
    key: string,
    entry: Entry | undefined,
    errors: Error[],
  ): Change | undefined {
    const supersedes = this.#index.has(key);
    if (entry !== undefined) {
      try {
        const value = this.#valueBytes(entry);
        if (this.#fits(key, entry, value)) {
          return { key, entry, written: writer.set(key, entry, value, supersedes) };
        }
      } catch (error) {
        errors.push(unserializable(key, error));
      }
    }
    // Nothing to end where the file does not know the key.
    if (!supersedes) return undefined;
    return { key, entry: undefined, written: writer.delete(key) };
  }

  #valueBytes(entry: Entry): Uint8Array {
    if (entry instanceof RestoredEntry) return entry.valueBytes;
    const bytes: unknown = this.#settings.serializer.serialize(entry.value);
    if (!(bytes instanceof Uint8Array)) throw new TypeError('serialize must give a Uint8Array');
    if (bytes.length <= LONGEST_VALUE) return bytes;
    throw new RangeError(`a value may have ${LONGEST_VALUE} bytes, got ${bytes.length}`);
  }

  /** Whether the file could hold the entry if it held nothing else. */
  #fits(key: string, entry: Entry, value: Uint8Array): boolean {
    const { maxBytes } = this.#settings;
    if (maxBytes === Infinity) return true;
    const tags = entry.tags.reduce((sum, tag) => sum + 4 + 3 * tag.length, 0);
    const length = value.length + 3 * key.length + tags + BLOCK_OVERHEAD;
    return LOG_START + length <= maxBytes;
  }
}

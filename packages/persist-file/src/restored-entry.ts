import type { Entry, Serializer } from '@acache/core';
import { createdAtOf, freshUntilOf, tagsOf, weightOf, windowsOf } from './record.js';

/** Bytes in which records lie, and who makes values of them. */
export interface RecordBytes {
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly serializer: Serializer;
}

/**
 * An entry as it lies in the file: everything is read from its record when it is asked for, the value
 * too.
 */
export class RestoredEntry implements Entry {
  readonly #in: RecordBytes;
  readonly #at: number;
  /** Milliseconds by which the instants of its record are ahead of the clock. */
  readonly #ahead: number;

  constructor(records: RecordBytes, at: number, ahead: number) {
    this.#in = records;
    this.#at = at;
    this.#ahead = ahead;
  }

  get createdAt(): number {
    return Math.max(0, createdAtOf(this.#in.view, this.#at) - this.#ahead);
  }

  get freshUntil(): number {
    return Math.max(0, this.#freshUntil);
  }

  get staleWhileRevalidate(): number {
    return this.#window(0);
  }

  get staleIfError(): number {
    return this.#window(8);
  }

  get weight(): number | undefined {
    return weightOf(this.#in.bytes, this.#in.view, this.#at);
  }

  get tags(): readonly string[] {
    return tagsOf(this.#in.bytes, this.#in.view, this.#at).tags;
  }

  /** @throws what the serializer throws */
  get value(): unknown {
    return this.#in.serializer.deserialize(this.valueBytes);
  }

  get valueBytes(): Buffer {
    const { bytes, view } = this.#in;
    const end = this.#at + view.getUint32(this.#at, true);
    return bytes.subarray(tagsOf(bytes, view, this.#at).end, end);
  }

  /** Before the epoch where the clock begins there with each start; no entry may say so. */
  get #freshUntil(): number {
    return freshUntilOf(this.#in.view, this.#at) - this.#ahead;
  }

  #window(which: 0 | 8): number {
    const window = windowsOf(this.#in.bytes, this.#in.view, this.#at, which);
    return Math.max(0, window + Math.min(0, this.#freshUntil));
  }
}

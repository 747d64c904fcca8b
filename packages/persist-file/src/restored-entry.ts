import type { Entry, EntryTimes, Serializer } from '@acache/core';

/** An entry as it lies in the file: its value is made of its bytes each time it is asked for. */
export class RestoredEntry implements Entry {
  readonly createdAt: number;
  readonly freshUntil: number;
  readonly staleWhileRevalidate: number;
  readonly staleIfError: number;
  readonly tags: readonly string[];
  readonly weight?: number;
  readonly #serializer: Serializer;
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #end: number;

  constructor(
    times: EntryTimes,
    tags: readonly string[],
    weight: number | undefined,
    value: { readonly bytes: Buffer; readonly start: number; readonly end: number },
    serializer: Serializer,
  ) {
    this.createdAt = times.createdAt;
    this.freshUntil = times.freshUntil;
    this.staleWhileRevalidate = times.staleWhileRevalidate;
    this.staleIfError = times.staleIfError;
    this.tags = tags;
    if (weight !== undefined) this.weight = weight;
    this.#bytes = value.bytes;
    this.#start = value.start;
    this.#end = value.end;
    this.#serializer = serializer;
  }

  /** @throws what the serializer throws */
  get value(): unknown {
    return this.#serializer.deserialize(this.valueBytes);
  }

  get valueBytes(): Buffer {
    return this.#bytes.subarray(this.#start, this.#end);
  }
}

/** The store key of a stamp, and what it belongs to. */
export type StampName = readonly [storeKey: string, of: string];

/** Who knows of stamps. */
interface StampSource {
  /** The stamp that this process wants under a key, and that may not be there yet. */
  wantedStamp(storeKey: string): string | undefined;
  /** The stamp that an answer of the store holds. */
  openStamp(of: string, answer: unknown): string | undefined;
}

/** Reads stamps: what this process wants of them counts before what the store holds. */
export class StampReader {
  readonly keys: readonly string[];
  readonly #source: StampSource;
  readonly #names: ReadonlyMap<string, string>;
  readonly #stamps = new Map<string, string | undefined>();
  readonly #told = new Map<string, string>();

  constructor(source: StampSource, wanted: readonly StampName[]) {
    this.#source = source;
    this.#names = new Map(wanted);
    this.keys = [...this.#names.keys()];
    // Written while the store is read, it may be missed by both.
    for (const storeKey of this.keys) {
      const stamp = source.wantedStamp(storeKey);
      if (stamp !== undefined) this.#told.set(storeKey, stamp);
    }
  }

  answer(answers: readonly unknown[]): void {
    this.keys.forEach((storeKey, at) => {
      this.#stamps.set(
        storeKey,
        this.#source.openStamp(this.#names.get(storeKey) as string, answers[at]),
      );
    });
  }

  /** What the store holds. */
  read(storeKey: string): string | undefined {
    return this.#stamps.get(storeKey);
  }

  has(storeKey: string): boolean {
    return this.#stamps.has(storeKey);
  }

  /** What counts for who reads. */
  of(storeKey: string): string | undefined {
    const told = this.#source.wantedStamp(storeKey) ?? this.#told.get(storeKey);
    return told ?? this.#stamps.get(storeKey);
  }

  add(other: StampReader): void {
    for (const [storeKey, stamp] of other.#stamps) this.#stamps.set(storeKey, stamp);
    for (const [storeKey, stamp] of other.#told) this.#told.set(storeKey, stamp);
  }
}

import type { Clock } from '@acache/core';
import type { Stamps } from './envelope.js';
import type { NamespaceKeys } from './key-space.js';
import { StampReader, type StampName } from './stamp-reader.js';
import type { StoreCalls } from './store-calls.js';
import { newStamp, type Wanted } from './wanted.js';
import type { Writes } from './writes.js';

/** The stamp of the namespace, read so long ago, may still be written with: at worst that is a miss. */
const GOOD_FOR = 1000;
/** Stand for the whole namespace and for any tag, in the text of a stamp. Tags have a `#` before them. */
const ALL = 'all';
const ANY = 'any';

/** What a load goes by: the state of things before it began. */
export interface StateBefore extends Stamps {
  /** The stamp that every invalidation of a tag changes. */
  readonly any: string;
}

interface SpaceStampsParts {
  readonly keys: NamespaceKeys;
  readonly calls: StoreCalls;
  readonly clock: Clock;
  readonly writes: Writes<Wanted>;
  /** The stamp that an answer of the store holds. */
  open(of: string, answer: unknown): string | undefined;
}

/**
 * The stamps of a namespace: an entry counts while those that it carries are the present ones.
 *
 * Nothing goes by a stamp that this process is still writing. Landing late, over one that another process
 * has written since, it would bring back what that had ended.
 */
export class SpaceStamps {
  readonly #parts: SpaceStampsParts;
  #all: { readonly stamp: string; readonly at: number } | undefined;
  /** How often the namespace was ended here. */
  #ends = 0;

  constructor(parts: SpaceStampsParts) {
    this.#parts = parts;
  }

  /** A reader of what is known to matter for a look; for one that wants to load, once it can be used. */
  async reader(tags: readonly string[], wantsLoad: boolean): Promise<StampReader> {
    const { keys } = this.#parts;
    const names: readonly StampName[] = [
      [keys.all, ALL],
      ...(wantsLoad ? [[keys.any, ANY] as const] : []),
      ...tags.map((tag) => this.#nameOf(tag)),
    ];
    if (wantsLoad) await this.#written(names);
    return this.#newReader(names);
  }

  /** Reads the stamps of tags as well that turned out to matter. */
  async readMore(reader: StampReader, tags: readonly string[]): Promise<void> {
    const names = [...new Set(tags)]
      .map((tag) => this.#nameOf(tag))
      .filter(([storeKey]) => !reader.has(storeKey));
    if (names.length > 0) reader.add(await this.#read(names));
  }

  /**
   * Looks again where the stamp of the namespace seems lost that was there before: many a store answers
   * so when it fails.
   */
  async confirm(reader: StampReader): Promise<void> {
    const { all } = this.#parts.keys;
    if (this.#all === undefined || reader.read(all) !== undefined) return;
    reader.add(await this.#read([[all, ALL]]));
  }

  /** What the loads go by that begin now; the stamps that were not there are made. */
  async before(reader: StampReader, tags: readonly string[]): Promise<StateBefore> {
    const { keys } = this.#parts;
    const [all, any] = await Promise.all([
      this.#knowing(() => reader.read(keys.all) ?? this.#first([keys.all, ALL])),
      reader.read(keys.any) ?? this.#first([keys.any, ANY]),
    ]);
    const known = tags.flatMap((tag) => {
      const stamp = reader.read(keys.tag(tag));
      return stamp === undefined ? [] : [[tag, stamp] as const];
    });
    return { all, any, tags: new Map(known) };
  }

  /** What something goes by that is set now. */
  async now(tags: readonly string[]): Promise<Stamps> {
    const [all, ofTags] = await Promise.all([this.#allNow(), this.#ofTags(tags)]);
    return { all, tags: new Map(ofTags) };
  }

  /** The stamps of tags that were not known before a load; none when one may have been invalidated since. */
  async late(
    tags: readonly string[],
    anyBefore: string,
  ): Promise<(readonly [tag: string, stamp: string])[] | undefined> {
    const late = await this.#ofTags(tags);
    // They lie there by now, also those that were made just now. What invalidates them from here on
    // replaces them; what did so since the load began has changed this one before.
    const { any } = this.#parts.keys;
    const reader = await this.#read([[any, ANY]]);
    return reader.read(any) === anyBefore ? late : undefined;
  }

  /** Ends what carries a tag. */
  async endTags(tags: readonly string[]): Promise<void> {
    const { any } = this.#parts.keys;
    // This one first: whoever finds the new stamp of a tag must find that there was an invalidation.
    const first = this.#write([any, ANY]);
    const each = tags.map((tag) => this.#write(this.#nameOf(tag), { after: any }));
    for (const outcome of await Promise.allSettled([first, ...each])) {
      if (outcome.status === 'rejected') throw outcome.reason;
    }
  }

  /** Ends everything. */
  async endAll(): Promise<void> {
    this.#all = undefined;
    this.#ends++;
    await this.#write([this.#parts.keys.all, ALL]);
  }

  /** The stamp that this process wants under a key, and that may not be there yet. */
  wantedStamp(storeKey: string): string | undefined {
    const wanted = this.#parts.writes.wanted(storeKey);
    return wanted?.kind === 'stamp' ? wanted.stamp : undefined;
  }

  openStamp(of: string, answer: unknown): string | undefined {
    return this.#parts.open(of, answer);
  }

  #allNow(): string | Promise<string> {
    const { clock, keys } = this.#parts;
    if (this.#all !== undefined && clock.now() - this.#all.at < GOOD_FOR) return this.#all.stamp;
    return this.#knowing(async () => {
      await this.#written([[keys.all, ALL]]);
      const reader = await this.#read([[keys.all, ALL]]);
      await this.confirm(reader);
      return reader.read(keys.all) ?? this.#first([keys.all, ALL]);
    });
  }

  /** Remembers the stamp of the namespace, unless everything is ended while it is found out. */
  async #knowing(find: () => string | Promise<string>): Promise<string> {
    const { clock } = this.#parts;
    const [at, ends] = [clock.now(), this.#ends];
    const stamp = await find();
    if (ends === this.#ends) this.#all = { stamp, at };
    return stamp;
  }

  /** The stamps that lie in the store for tags; made where there are none. */
  async #ofTags(tags: readonly string[]): Promise<(readonly [tag: string, stamp: string])[]> {
    const names = tags.map((tag) => this.#nameOf(tag));
    await this.#written(names);
    const reader = await this.#read(names);
    return Promise.all(
      tags.map(async (tag) => {
        const name = this.#nameOf(tag);
        return [tag, reader.read(name[0]) ?? (await this.#first(name))] as const;
      }),
    );
  }

  async #read(names: readonly StampName[]): Promise<StampReader> {
    const reader = this.#newReader(names);
    reader.answer(await this.#parts.calls.getMany(reader.keys));
    return reader;
  }

  /** Waits until the stamps that this process is writing are in the store. */
  async #written(names: readonly StampName[]): Promise<void> {
    await Promise.all(names.map(([storeKey]) => this.#parts.writes.ended(storeKey)));
  }

  /** A stamp for what has none: never one that was there before, so that nothing old comes back with it. */
  async #first(name: StampName): Promise<string> {
    const [storeKey] = name;
    const wanted = this.wantedStamp(storeKey);
    if (wanted === undefined) return this.#write(name, { isFirst: true });
    await this.#parts.writes.ended(storeKey);
    return wanted;
  }

  /** Resolves with the stamp once it is in the store. */
  async #write(
    [storeKey, of]: StampName,
    options: { after?: string; isFirst?: boolean } = {},
  ): Promise<string> {
    const stamp = newStamp();
    await this.#parts.writes.write(storeKey, { kind: 'stamp', of, stamp, ...options });
    return stamp;
  }

  #newReader(names: readonly StampName[]): StampReader {
    return new StampReader(this, names);
  }

  #nameOf(tag: string): StampName {
    return [this.#parts.keys.tag(tag), `#${tag}`];
  }
}

/** Whether a stamp belongs to a tag: there may be any number of those. */
export function isOfTag(of: string): boolean {
  return of.startsWith('#');
}

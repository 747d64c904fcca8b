import type { Entry, TierLease } from '@acache/core';
import { beginningOf, ENTRY, idIn, PLACEHOLDER } from './beginning.js';
import { writeEnvelope } from './envelope.js';
import { lifeOf } from './life.js';
import type { NamespaceParts } from './namespace-parts.js';
import type { Renewable } from './renewals.js';

/** What stands in Redis for a load: a placeholder instead of a value, or a lock beside one. */
export type Claim =
  | { readonly kind: 'placeholder'; readonly id: Buffer }
  | { readonly kind: 'lock'; readonly token: Buffer; readonly head: Buffer };

/** What is taken away again: a claim, or what turned out as invalid when it was stored. */
export type Returned = Claim | { readonly kind: 'stored'; readonly id: Buffer };

/** The stamps as they were before a load. */
export interface StampsBefore {
  readonly any: Buffer;
  readonly all: Buffer;
  /** Of the tags that were known then. */
  readonly tags: ReadonlyMap<string, Buffer>;
}

type Outcome = 'stored' | 'refused' | 'unavailable';

/**
 * The right to load a key. What Redis holds for it decides: `set`, `delete` and `expire` of any client
 * take it away, and so does whoever lets it run out.
 */
export class Lease implements TierLease, Renewable {
  readonly grantedAt = performance.now();
  readonly #parts: NamespaceParts;
  readonly #key: string;
  readonly #claim: Claim;
  readonly #before: StampsBefore;
  readonly #ended: () => void;
  #isHeld = true;

  /** @param ended - told when it is given back */
  constructor(
    parts: NamespaceParts,
    key: string,
    claim: Claim,
    before: StampsBefore,
    ended: (lease: Lease) => void,
  ) {
    this.#parts = parts;
    this.#key = key;
    this.#claim = claim;
    this.#before = before;
    this.#ended = () => {
      ended(this);
    };
    parts.counts.leases++;
    parts.renewals.add(this);
  }

  renew(): void {
    const { commands, keys, ownWrites, settings } = this.#parts;
    ownWrites.still(keys.value(this.#key), this.#mark());
    commands
      .run('renew', redisKeysOf(this.#parts, this.#key), [
        ...proofOf(this.#claim),
        settings.lockTtl,
      ])
      .catch(() => {
        // It runs out then, and the commit is refused.
      });
  }

  async commit(entry: Entry): Promise<Outcome> {
    if (!this.#end()) return 'refused';
    let outcome: Outcome = 'unavailable';
    try {
      outcome = await this.#store(entry);
    } finally {
      if (outcome !== 'stored') void giveBack(this.#parts, this.#key, this.#claim);
    }
    if (outcome === 'refused') this.#parts.counts.refusals++;
    return outcome;
  }

  async release(): Promise<void> {
    if (this.#end()) await giveBack(this.#parts, this.#key, this.#claim);
  }

  async #store(entry: Entry): Promise<Outcome> {
    const { commands, host, keys, newId, ownWrites, settings, tell } = this.#parts;
    const life = lifeOf(entry, host.clock.now(), settings.maxTtl);
    if (life < 1) return 'refused';
    const late = entry.tags.filter((tag) => !this.#before.tags.has(tag));
    // The stamps that an entry carries guard it themselves; those that it does not carry must be asked.
    const guardsItself = [...this.#before.tags.keys()].every((tag) => entry.tags.includes(tag));
    if (!guardsItself && !(await this.#stillValid())) return 'refused';
    const stamps = late.length === 0 ? this.#before.tags : await this.#withLate(late);
    if (stamps === undefined) return 'refused';
    const id = newId();
    const tags = entry.tags.map((tag) => stamps.get(tag) as Buffer);
    const { compressAbove, serializer } = settings;
    const envelope = writeEnvelope(
      entry,
      id,
      { namespace: this.#before.all, tags },
      serializer,
      compressAbove,
    );
    const value = keys.value(this.#key);
    ownWrites.wrote(value, id);
    const args = [...this.#basis(), envelope, life, ...tell({ keys: [this.#key] })];
    const { sent, reply } = commands.gather('commit', redisKeysOf(this.#parts, this.#key), args);
    const [stored, stillValid] = await Promise.all([reply, sent.then(() => this.#stillValid())]);
    if (stored === 1 && stillValid) {
      this.#parts.stamps.outlive(
        entry.tags.map((tag) => keys.tag(tag)),
        life,
      );
      return 'stored';
    }
    if (stored !== 1) ownWrites.correct(value, id, undefined);
    else await giveBack(this.#parts, this.#key, { kind: 'stored', id });
    return 'refused';
  }

  /**
   * The stamps with those of tags that were not known before the load: `undefined` when any tag was
   * invalidated since, for it may have been one of them.
   */
  async #withLate(late: readonly string[]): Promise<ReadonlyMap<string, Buffer> | undefined> {
    const { keys, stamps } = this.#parts;
    // In this order: an invalidation that has put one of those stamps has changed this one as well.
    const now = await stamps.of(late.map((tag) => keys.tag(tag)));
    const [any] = await stamps.read([keys.any]);
    if (!any?.equals(this.#before.any)) return undefined;
    const all = new Map(this.#before.tags);
    late.forEach((tag, at) => all.set(tag, now[at] as Buffer));
    return all;
  }

  /** Whether nothing that the entry carries was invalidated since before the load. */
  async #stillValid(): Promise<boolean> {
    const { keys, stamps } = this.#parts;
    const tags = [...this.#before.tags];
    const now = await stamps.readShared([keys.all, ...tags.map(([tag]) => keys.tag(tag))]);
    const before = [this.#before.all, ...tags.map(([, stamp]) => stamp)];
    return before.every((stamp, at) => now[at]?.equals(stamp));
  }

  /** False when it was given back before. */
  #end(): boolean {
    if (!this.#isHeld) return false;
    this.#isHeld = false;
    this.#parts.renewals.remove(this);
    this.#ended();
    return true;
  }

  /** The write under the key that this lease stands on. */
  #mark(): Buffer {
    const claim = this.#claim;
    return claim.kind === 'placeholder' ? claim.id : idIn(claim.head);
  }

  /** What must still stand in Redis when it is stored. */
  #basis(): [head: Buffer, token: Buffer | ''] {
    const claim = this.#claim;
    return claim.kind === 'placeholder'
      ? [beginningOf(PLACEHOLDER, claim.id), '']
      : [claim.head, claim.token];
  }
}

/** Takes a claim away, if it still stands. Never rejects: what cannot be reached now is owed. */
export async function giveBack(parts: NamespaceParts, key: string, claim: Returned): Promise<void> {
  const { commands, keys, owe, ownWrites, tell } = parts;
  if (claim.kind !== 'lock') ownWrites.tookBack(keys.value(key), claim.id);
  const args = [...proofOf(claim), ...tell({ keys: [key] })];
  try {
    await commands.run('release', redisKeysOf(parts, key), args);
  } catch {
    owe(key, claim);
  }
}

function redisKeysOf({ keys }: NamespaceParts, key: string): [value: string, lock: string] {
  return [keys.value(key), keys.lock(key)];
}

/** What shows in Redis that a claim stands. */
function proofOf(claim: Returned): [beginning: Buffer | '', token: Buffer | ''] {
  switch (claim.kind) {
    case 'placeholder':
      return [beginningOf(PLACEHOLDER, claim.id), ''];
    case 'stored':
      return [beginningOf(ENTRY, claim.id), ''];
    case 'lock':
      return ['', claim.token];
  }
}

import type { TierAnswer, TierRequest } from '@acache/core';
import type { Reading } from './commands.js';
import { idIn } from './beginning.js';
import type { EntryEnvelope } from './envelope.js';
import { giveBack, Lease, type Claim, type StampsBefore } from './lease.js';
import type { NamespaceParts } from './namespace-parts.js';
import { writePlaceholder } from './placeholder.js';
import type { PresentStamps, Seen, Sight } from './sight.js';

/** Something else stands there than what was seen. */
export interface Changed {
  readonly isChanged: true;
  readonly seen: Seen;
}

/** What the loads that are asked for at once go by; read once, and only where one is granted. */
export interface Basis {
  /** The stamps of the namespace and of the tags that are known, as they are now. */
  readonly present: PresentStamps;
  readonly stampsBefore: () => Promise<StampsBefore>;
}

const EMPTY = Buffer.alloc(0);
/** What `acquire` answers where it took the place of a list, say. */
const OVER_ANOTHER_TYPE = 2;

/** The right to load: a placeholder where nothing is, a lock beside an entry. */
export class Claims {
  readonly #parts: NamespaceParts;
  readonly #sight: Sight;
  readonly #leases: Set<Lease>;

  constructor(parts: NamespaceParts, sight: Sight, leases: Set<Lease>) {
    this.#parts = parts;
    this.#sight = sight;
    this.#leases = leases;
  }

  /** Tries to get the right to load; says what it found instead, where things have changed meanwhile. */
  async claim(
    request: TierRequest,
    seen: Exclude<Seen, { kind: 'unavailable' }>,
    basis: Basis,
  ): Promise<TierAnswer | Changed | undefined> {
    const { key, intent } = request;
    // Sent along with the claim: both count from before the load.
    const stamps = basis.stampsBefore();
    stamps.catch(() => undefined);
    if (intent === 'refresh') {
      const taken = await this.#take(request, seen, basis);
      if ('isChanged' in taken) return taken;
      const lease = await this.#grant(key, taken.claim, stamps, taken.stays?.envelope);
      const entry = taken.stays?.entry;
      return entry ? { kind: 'found', entry, lease } : { kind: 'missing', lease };
    }
    if (seen.kind === 'entry') {
      const claim = await this.#lock(key, seen.envelope);
      if (claim === undefined) return undefined;
      const lease = await this.#grant(key, claim, stamps, seen.envelope);
      return { kind: 'found', entry: seen.entry, lease };
    }
    const acquired = await this.#acquire(request, headOfNothing(seen), basis);
    if ('isChanged' in acquired) return acquired;
    return { kind: 'missing', lease: await this.#grant(key, acquired, stamps) };
  }

  /** What loads of these requests go by. */
  basis(requests: readonly TierRequest[], present: PresentStamps): Basis {
    const { keys, stamps } = this.#parts;
    let reading: Promise<StampsBefore> | undefined;
    const read = async (): Promise<StampsBefore> => {
      const tags = new Set(requests.flatMap((request) => request.tags));
      const [any] = await stamps.read([keys.any]);
      return {
        any: any as Buffer,
        all: present.get(keys.all) as Buffer,
        tags: new Map(Array.from(tags, (tag) => [tag, present.get(keys.tag(tag)) as Buffer])),
      };
    };
    return { present, stampsBefore: () => (reading ??= read()) };
  }

  #placeholder(id: Buffer, { tags }: TierRequest, present: PresentStamps): Buffer {
    const { keys } = this.#parts;
    const stamps = tags.map((tag) => present.get(keys.tag(tag)) as Buffer);
    return writePlaceholder(id, tags, { namespace: present.get(keys.all) as Buffer, tags: stamps });
  }

  async #acquire(
    request: TierRequest,
    expected: Buffer,
    { present }: Basis,
  ): Promise<Claim | Changed> {
    const { key } = request;
    const { commands, keys, newId, ownWrites, settings } = this.#parts;
    const id = newId();
    const value = keys.value(key);
    ownWrites.wrote(value, id);
    const args = [expected, this.#placeholder(id, request, present), settings.lockTtl];
    const claim: Claim = { kind: 'placeholder', id };
    const reply = await this.#claimed(key, claim, commands.gather('acquire', [value], args).reply);
    if (reply === OVER_ANOTHER_TYPE) this.#sight.unreadable(value, 'it is no string');
    if (reply === 1 || reply === OVER_ANOTHER_TYPE) return claim;
    ownWrites.correct(value, id, undefined);
    return { isChanged: true, seen: await this.#sight.one(value, reply as Reading) };
  }

  async #lock(key: string, { head }: EntryEnvelope): Promise<Claim | undefined> {
    const { commands, keys, newId, ownWrites, settings } = this.#parts;
    const token = newId();
    const value = keys.value(key);
    // The lock may prolong the life of the entry, which is heard of as a change.
    ownWrites.still(value, idIn(head));
    const claim: Claim = { kind: 'lock', token, head };
    const args = [token, settings.lockTtl];
    const running = commands.gather('lock', [value, keys.lock(key)], args).reply;
    return (await this.#claimed(key, claim, running)) === 1 ? claim : undefined;
  }

  async #take(
    request: TierRequest,
    seen: Seen,
    { present }: Basis,
  ): Promise<{ claim: Claim; stays?: Extract<Seen, { kind: 'entry' }> } | Changed> {
    const { commands, keys, newId, ownWrites, settings, tell } = this.#parts;
    const { key } = request;
    const [id, token] = [newId(), newId()];
    const value = keys.value(key);
    const dead = headOfNothing(seen);
    ownWrites.wrote(value, id);
    const claim: Claim = { kind: 'placeholder', id };
    const waits = this.#placeholder(id, request, present);
    const args = [dead, waits, token, settings.lockTtl, ...tell({ keys: [key] })];
    const running = commands.run('take', [value, keys.lock(key)], args);
    const reply = await this.#claimed(key, claim, running);
    if (reply === 1) return { claim };
    const stays = await this.#sight.one(value, reply as Reading);
    if (stays.kind !== 'entry') {
      ownWrites.correct(value, id, undefined);
      return { isChanged: true, seen: stays };
    }
    const { head } = stays.envelope;
    // It stays as somebody put it; what is heard of it may be its expiry, which was prolonged.
    ownWrites.correct(value, id, undefined);
    ownWrites.still(value, idIn(head));
    return { claim: { kind: 'lock', token, head }, stays };
  }

  /** The reply to a claim; one that may have been made without our hearing of it is given back. */
  async #claimed(key: string, claim: Claim, running: Promise<unknown>): Promise<unknown> {
    try {
      return await running;
    } catch (error) {
      void giveBack(this.#parts, key, claim);
      throw error;
    }
  }

  /** @param over - the entry that is loaded anew: who invalidates its tags means the load as well */
  async #grant(
    key: string,
    claim: Claim,
    before: Promise<StampsBefore>,
    over?: EntryEnvelope,
  ): Promise<Lease> {
    let stamps: StampsBefore;
    try {
      stamps = withTagsOf(over, await before);
    } catch (error) {
      // Without them nothing could be stored; it must not keep the others waiting either.
      void giveBack(this.#parts, key, claim);
      throw error;
    }
    const lease = new Lease(this.#parts, key, claim, stamps, (ended) => {
      this.#leases.delete(ended);
    });
    this.#leases.add(lease);
    return lease;
  }
}

/** What stands there and counts as nothing. */
function headOfNothing(seen: Seen): Buffer {
  return seen.kind === 'nothing' ? seen.head : EMPTY;
}

function withTagsOf(over: EntryEnvelope | undefined, before: StampsBefore): StampsBefore {
  if (over === undefined || over.tags.length === 0) return before;
  const tags = new Map(before.tags);
  over.tags.forEach((tag, at) => tags.set(tag, over.stamps.tags[at] as Buffer));
  return { ...before, tags };
}

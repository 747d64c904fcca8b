import { idOfWireKey, wireKeyOf, type KeyId } from './cache-key.js';
import type { Clock, ClockTimer } from './clock.js';
import { diesAt, isEntry, type Entry } from './entry.js';
import { CacheError, closedError } from './errors.js';
import type { EventHub } from './events.js';
import type { Order } from './store.js';
import type { Archive, Persistence, PersistenceHost } from './persistence.js';

/** Without an entry for so long, in milliseconds, a restore counts as stuck and reads go on without it. */
const STUCK_AFTER = 5000;
/** Changes of each kind remembered while a restore runs, so that it brings back nothing that is old. */
const MOST_CHANGES = 100_000;
/** How long `close` waits for a persistence that does nothing, in milliseconds. */
const CLOSE_WITHIN = 2500;

/** What the cache does with what is restored. */
export interface Restorer<V> {
  restore(id: KeyId, entry: Entry<V>, now: number): void;
  /** @returns false where it cannot stay there */
  restoreFrom(archive: Archive<V>, position: number): boolean;
  order(): Order;
}

/**
 * A cache's side of its persistence: restores once, then tells it every change. Its errors become
 * events; they never reach a read.
 */
export class PersistenceLink<K, V> {
  readonly #name: string;
  readonly #persistence: Persistence;
  readonly #clock: Clock;
  readonly #events: EventHub<K>;
  /** Changed while the restore ran, so that what is restored of them is old. */
  readonly #changed = new Set<KeyId>();
  /** Expired while the restore ran and memory did not hold them, and when. */
  readonly #expired = new Map<KeyId, number>();
  #untold: { readonly error: unknown } | undefined;
  #reportClosed: (error: unknown) => void = () => undefined;
  readonly #closed = new Promise<never>((_, reject) => {
    this.#reportClosed = reject;
  });
  readonly #invalidatedTags = new Set<string>();
  #cleared = false;
  /** More was changed than is remembered: what is yet to be restored may be old. */
  #skipsRest = false;
  /** More tags were invalidated than are remembered: it may be any. */
  #everyTagInvalidated = false;
  #state: 'restoring' | 'open' | 'failed' | 'closed' = 'restoring';
  #holdsReads = true;
  #failure: unknown;
  #watchdog: ClockTimer | undefined;
  #stopWaiting: () => void = () => undefined;
  /** Settles when reads need not wait any longer; never rejects. */
  restored: Promise<void> = Promise.resolve();
  /** Settles with the restore; rejects when the cache goes on without persistence. */
  ready: Promise<void> = Promise.resolve();

  constructor(name: string, persistence: Persistence, clock: Clock, events: EventHub<K>) {
    this.#name = name;
    this.#persistence = persistence;
    this.#clock = clock;
    this.#events = events;
  }

  /** True while reads wait for the restore. */
  get holdsReads(): boolean {
    return this.#holdsReads;
  }

  open(restorer: Restorer<V>): void {
    let progress = 0;
    const host: PersistenceHost = {
      clock: this.#clock,
      restore: (wireKey, entry) => {
        progress++;
        this.#restore(wireKey, entry as Entry<V>, restorer);
      },
      restoreFrom: (archive, position) => {
        progress++;
        this.#restoreFrom(archive as Archive<V>, position, restorer);
      },
      order: () => told(restorer.order()),
      fail: (error) => {
        this.#events.report(error, 'persistence');
      },
    };
    this.#closed.catch(() => undefined);
    this.restored = new Promise<void>((resolve) => {
      this.#stopWaiting = resolve;
    });
    this.#watch(() => progress);
    this.ready = Promise.race([this.#open(host), this.#closed]);
    // Whoever does not await `ready` learns of a failure through the event.
    this.ready.catch(() => undefined);
  }

  set(id: KeyId, entry: Entry<V>): void {
    this.#tell(id, (key) => {
      this.#persistence.set(key, entry);
    });
  }

  delete(id: KeyId): void {
    this.#tell(id, (key) => {
      this.#persistence.delete(key);
    });
  }

  /** Whether a key was changed while the restore runs. */
  changed(id: KeyId): boolean {
    return this.#changed.has(id);
  }

  /** A key was expired that memory does not hold, though it may yet be restored. */
  expire(id: KeyId, now: number): void {
    if (this.#state !== 'restoring' || this.#cleared) return;
    if (this.#expired.size < MOST_CHANGES) this.#expired.set(id, now);
    else this.delete(id);
  }

  clear(): void {
    if (this.#state === 'restoring') this.#cleared = true;
    this.#guard(() => {
      this.#persistence.clear();
    });
  }

  /** Tags were invalidated: entries that are yet to be restored are none any more. */
  invalidateTags(tags: readonly string[]): void {
    if (this.#state !== 'restoring' || this.#everyTagInvalidated) return;
    for (const tag of tags) this.#invalidatedTags.add(tag);
    if (this.#invalidatedTags.size <= MOST_CHANGES) return;
    this.#everyTagInvalidated = true;
    this.#invalidatedTags.clear();
  }

  async flush(): Promise<void> {
    if (this.#state === 'restoring') await this.ready;
    if (this.#state === 'failed') throw this.#failure;
    await Promise.race([this.#persistence.flush(), this.#closed]);
    const untold = this.#untold;
    this.#untold = undefined;
    if (untold !== undefined) throw untold.error;
  }

  async close(): Promise<void> {
    if (this.#state === 'failed' || this.#state === 'closed') return;
    this.#state = 'closed';
    this.#reportClosed(closedError(this.#name));
    this.#release();
    let timer: ClockTimer | undefined;
    const stuck = new Promise<never>((_, reject) => {
      const watch = (seen: number | undefined): void => {
        timer = this.#clock.setTimeout(() => {
          const progress = this.#progress();
          if (progress !== seen) watch(progress);
          else reject(this.#closeTimeout());
        }, CLOSE_WITHIN);
      };
      watch(this.#progress());
    });
    try {
      await Promise.race([this.#persistence.close(), stuck]);
    } catch (error) {
      this.#events.report(error, 'persistence');
    } finally {
      if (timer !== undefined) this.#clock.clearTimeout(timer);
    }
  }

  #progress(): number | undefined {
    try {
      return this.#persistence.progress;
    } catch {
      return undefined;
    }
  }

  #closeTimeout(): CacheError {
    const message = `cache '${this.#name}': the persistence did nothing for ${CLOSE_WITHIN} ms and was not waited for any longer`;
    return new CacheError('ERR_ACACHE_PERSISTENCE_TIMEOUT', message);
  }

  async #open(host: PersistenceHost): Promise<void> {
    try {
      await this.#persistence.open(host);
      if (this.#state === 'restoring') this.#state = 'open';
    } catch (error) {
      if (this.#state === 'restoring') this.#state = 'failed';
      this.#failure = error;
      this.#events.report(error, 'persistence');
      throw error;
    } finally {
      this.#forgetChanges();
      this.#release();
    }
  }

  #forgetChanges(): void {
    this.#changed.clear();
    this.#expired.clear();
    this.#invalidatedTags.clear();
  }

  #noteChange(id: KeyId): void {
    if (this.#state !== 'restoring' || this.#skipsRest) return;
    this.#changed.add(id);
    if (this.#changed.size <= MOST_CHANGES) return;
    this.#skipsRest = true;
    this.#changed.clear();
  }

  /** Reads wait no longer. */
  #release(): void {
    if (this.#watchdog !== undefined) this.#clock.clearTimeout(this.#watchdog);
    this.#holdsReads = false;
    this.#stopWaiting();
  }

  #restore(wireKey: string, entry: Entry<V>, restorer: Restorer<V>): void {
    if (this.#state !== 'restoring' || this.#cleared) return;
    const id = idOfWireKey(wireKey);
    if (this.#changed.size > 0 && this.#changed.has(id)) return;
    if (!isEntry(entry)) {
      this.#events.report(new TypeError('what was restored is no entry'), 'persistence');
      return;
    }
    const now = this.#clock.now();
    const expiredAt = this.#expired.size === 0 ? undefined : this.#expired.get(id);
    if (expiredAt !== undefined && expiredAt < entry.freshUntil) {
      entry = expiredEntry(entry, expiredAt);
      this.#expired.delete(id);
      if (diesAt(entry) <= now) this.delete(id);
      else
        this.#guard(() => {
          this.#persistence.set(wireKey, entry);
        });
    }
    if (diesAt(entry) <= now) return;
    if (this.#isInvalidated(entry)) this.delete(id);
    else if (!this.#skipsRest) restorer.restore(id, entry, now);
  }

  #restoreFrom(archive: Archive<V>, position: number, restorer: Restorer<V>): void {
    if (this.#state !== 'restoring' || this.#cleared || this.#skipsRest) return;
    const isUndisturbed = this.#changed.size === 0 && this.#expired.size === 0;
    const mayBeInvalid = this.#invalidatedTags.size > 0 || this.#everyTagInvalidated;
    if (isUndisturbed && !(mayBeInvalid && archive.isTagged(position))) {
      const end = archive.diesAt(position);
      if (end !== Infinity && end <= this.#clock.now()) return;
      if (restorer.restoreFrom(archive, position)) return;
    }
    this.#restore(archive.keyAt(position), archive.entryAt(position), restorer);
  }

  #isInvalidated(entry: Entry<V>): boolean {
    // Tags may cost something to read.
    if (this.#invalidatedTags.size === 0 && !this.#everyTagInvalidated) return false;
    const { tags } = entry;
    if (this.#everyTagInvalidated) return tags.length > 0;
    return tags.some((tag) => this.#invalidatedTags.has(tag));
  }

  #tell(id: KeyId, change: (wireKey: string) => void): void {
    // A symbol has no text by which another process could know it.
    if (typeof id === 'symbol') return;
    this.#noteChange(id);
    this.#guard(() => {
      change(wireKeyOf(id));
    });
  }

  #guard(change: () => void): void {
    if (this.#state === 'failed' || this.#state === 'closed') return;
    try {
      change();
    } catch (error) {
      this.#untold ??= { error };
      this.#events.report(error, 'persistence');
    }
  }

  /** Lets reads go on when no entry came for a while. */
  #watch(progress: () => number, seen = 0): void {
    this.#watchdog = this.#clock.setTimeout(() => {
      if (progress() === seen) this.#release();
      else this.#watch(progress, progress());
    }, STUCK_AFTER);
  }
}

function expiredEntry<V>(entry: Entry<V>, now: number): Entry<V> {
  const { createdAt, staleWhileRevalidate, staleIfError, tags } = entry;
  return {
    get value() {
      return entry.value;
    },
    ...{ createdAt, freshUntil: now, staleWhileRevalidate, staleIfError, tags },
  };
}

/** How a persistence is told an order. */
function* told({ ids, positions }: Order): Generator<string | number> {
  for (let at = 0; at < ids.length; at++) {
    const position = (positions[at] ?? 0) - 1;
    const id = ids[at];
    if (position >= 0) yield position;
    // A symbol has no text and was never persisted.
    else if (typeof id !== 'symbol') yield wireKeyOf(id);
  }
}

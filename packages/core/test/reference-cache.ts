/*
 * A small model of the contract's "Freshness and races": what memory must hold, which load may run,
 * and which value who may get. It knows no promises; logical time is `seq`, one step per event.
 */

export interface Windows {
  ttl: number;
  staleWhileRevalidate: number;
  staleIfError: number;
  refreshAhead: number;
  errorTtl: number;
}

/** What a load brought or a caller set. Its number says when it was made. */
export interface Version {
  readonly key: string;
  readonly number: number;
  /** When its load began, or it was set. */
  readonly born: number;
}

export interface ModelEntry {
  readonly version: Version;
  readonly tags: readonly string[];
  readonly storedAt: number;
  freshUntil: number;
}

export interface LoadTags {
  /** Known from the start. */
  readonly tags: readonly string[];
  /** Known at its end. */
  readonly lateTags: readonly string[];
}

export interface ModelLoad extends LoadTags {
  readonly version: Version;
  /** Began behind a value that its caller was served. */
  readonly background: boolean;
  readonly turn: number;
  revoked: boolean;
  settled?: { seq: number; at: number; turn: number; error?: unknown };
}

export interface ModelCaller {
  readonly key: string;
  readonly arrived: number;
  readonly arrivedAt: number;
  readonly turn: number;
  readonly loads: boolean;
  readonly refresh: boolean;
  /** What memory held when it came. */
  readonly found: ModelEntry | undefined;
  readonly freshness: 'fresh' | 'stale' | 'none';
  readonly flight: ModelLoad | undefined;
}

interface Revocation {
  readonly seq: number;
  readonly key?: string;
  readonly tag?: string;
  readonly kind: 'remove' | 'set' | 'expire' | 'refresh' | 'invalidate';
}

export class ReferenceCache {
  readonly entries = new Map<string, ModelEntry>();
  /** The load of each key that who comes joins. */
  readonly flights = new Map<string, ModelLoad>();
  readonly loads: ModelLoad[] = [];
  readonly #revocations: Revocation[] = [];
  seq = 0;
  turn = 0;
  /** What was replaced in this turn: the model cannot tell in which order its promises settle. */
  readonly #replaced = new Set<ModelEntry>();

  constructor(
    readonly windows: Windows,
    readonly now: () => number,
  ) {}

  endTurn(): void {
    this.turn++;
    this.#replaced.clear();
  }

  diesAt({ freshUntil }: ModelEntry): number {
    return freshUntil + Math.max(this.windows.staleWhileRevalidate, this.windows.staleIfError);
  }

  live(key: string): ModelEntry | undefined {
    const entry = this.entries.get(key);
    return entry !== undefined && this.now() < this.diesAt(entry) ? entry : undefined;
  }

  fresh(key: string): ModelEntry | undefined {
    const entry = this.entries.get(key);
    return entry !== undefined && this.now() < entry.freshUntil ? entry : undefined;
  }

  get size(): number {
    return [...this.entries.keys()].filter((key) => this.live(key) !== undefined).length;
  }

  arrive(key: string, loads: boolean, refresh: boolean): ModelCaller {
    const found = this.live(key);
    const served = found !== undefined && !refresh;
    const stale = served && this.now() < found.freshUntil + this.windows.staleWhileRevalidate;
    return {
      key,
      arrived: ++this.seq,
      arrivedAt: this.now(),
      turn: this.turn,
      loads,
      refresh,
      found,
      freshness: served && this.fresh(key) !== undefined ? 'fresh' : stale ? 'stale' : 'none',
      flight: this.flights.get(key),
    };
  }

  /** A load begins for a caller. */
  begin(caller: ModelCaller, number: number, tags: LoadTags): ModelLoad {
    const { key, freshness } = caller;
    if (caller.refresh) this.#revoke('refresh', key);
    const version = { key, number, born: ++this.seq };
    const background = freshness !== 'none';
    const load: ModelLoad = { ...tags, version, background, turn: this.turn, revoked: false };
    this.loads.push(load);
    this.flights.set(key, load);
    return load;
  }

  /** Says what forbids that a load begins for a caller, now. */
  forbidsLoad({ key, refresh }: ModelCaller): string | undefined {
    const entry = this.fresh(key);
    if (refresh) return undefined;
    if (this.flights.has(key)) return `two loads of ${key} at one time`;
    if (entry === undefined) return undefined;
    const ahead = this.windows.refreshAhead * (entry.freshUntil - entry.storedAt);
    const due = Number.isFinite(ahead) && this.now() >= entry.storedAt + ahead;
    return due ? undefined : `a load of ${key}, which is fresh`;
  }

  /** A load ended. */
  settle(load: ModelLoad, error?: unknown): void {
    const { key } = load.version;
    load.settled = { seq: ++this.seq, at: this.now(), turn: this.turn, error };
    if (this.flights.get(key) === load) this.flights.delete(key);
    if (load.revoked || error !== undefined || this.revokedLate(load, this.seq)) return;
    this.#store(load.version, [...load.tags, ...load.lateTags]);
  }

  /** Every caller of a load left by its own signal. */
  abandon(load: ModelLoad): void {
    load.revoked = true;
    if (this.flights.get(load.version.key) === load) this.flights.delete(load.version.key);
  }

  set(key: string, number: number, tags: readonly string[]): Version {
    this.#revoke('set', key);
    const version = { key, number, born: this.seq };
    this.#store(version, tags);
    return version;
  }

  delete(key: string): boolean {
    const held = this.live(key) !== undefined;
    this.#revoke('remove', key);
    this.entries.delete(key);
    return held;
  }

  expire(key: string): void {
    this.#revoke('expire', key);
    const entry = this.entries.get(key);
    if (entry !== undefined) entry.freshUntil = Math.min(entry.freshUntil, this.now());
  }

  clear(keys: readonly string[]): void {
    for (const key of keys) this.delete(key);
  }

  invalidate(tag: string): void {
    this.#revocations.push({ seq: ++this.seq, tag, kind: 'invalidate' });
    for (const [key, entry] of this.entries) {
      if (this.live(key) === undefined || !entry.tags.includes(tag)) continue;
      this.#revoke('invalidate', key);
      this.entries.delete(key);
    }
    for (const [key, load] of this.flights) {
      if (load.tags.includes(tag)) this.#revoke('invalidate', key);
    }
  }

  /** Whether a tag that a load decided only at its end was invalidated between its begin and `until`. */
  revokedLate({ version, lateTags }: ModelLoad, until: number): boolean {
    return this.#revocations.some(
      ({ seq, tag }) =>
        tag !== undefined && lateTags.includes(tag) && version.born < seq && seq <= until,
    );
  }

  /** Whether the load that a caller joined turned out to be none for it, and it gets another. */
  readsAnew({ flight, arrived }: ModelCaller): boolean {
    return flight !== undefined && this.revokedLate(flight, arrived);
  }

  /** Says what forbids that a caller, now, is given this error of a load. */
  forbidsError(caller: ModelCaller, load: ModelLoad): string | undefined {
    const { settled, version } = load;
    if (version.key !== caller.key) return 'the error of another key';
    if (settled === undefined) return 'the error of a load that runs';
    if (this.canServeStale(caller)) return 'an error inside staleIfError';
    if (settled.seq >= caller.arrived) {
      const revoked = this.#between(caller.key, version.born, caller.arrived);
      return revoked ? 'a revoked load’s error' : undefined;
    }
    const forgotten =
      load.revoked ||
      caller.refresh ||
      this.#between(caller.key, settled.seq, caller.arrived, ['remove', 'set', 'refresh']);
    const remembered = caller.arrivedAt < settled.at + this.windows.errorTtl;
    return remembered && !forgotten ? undefined : 'an error of the past';
  }

  /** Whether what the caller found when it came is there still, for a load that fails now. */
  canServeStale({ found, key, refresh }: ModelCaller): boolean {
    return (
      !refresh &&
      found !== undefined &&
      this.entries.get(key) === found &&
      this.now() < found.freshUntil + this.windows.staleIfError
    );
  }

  /** Says what forbids that a caller, now, is given this version; the status where it is known. */
  forbids(caller: ModelCaller, version: Version, status?: string): string | undefined {
    const { key, arrived, found, freshness } = caller;
    if (version.key !== key) return 'a value of another key';
    if (freshness !== 'none') {
      const expected = freshness === 'fresh' ? 'hit' : 'stale';
      if (found?.version !== version) return `another value than the ${freshness} one`;
      return status === undefined || status === expected ? undefined : `not a ${expected}`;
    }
    const load = this.loads.find((candidate) => candidate.version === version);
    if (status === 'error-stale') {
      const inTime = [found, this.entries.get(key), ...this.#replaced].some(
        (entry) =>
          entry?.version === version && this.now() < entry.freshUntil + this.windows.staleIfError,
      );
      return inTime ? undefined : 'a stale value outside staleIfError';
    }
    // getMany does not say its statuses, nor when it had which value.
    if (status === undefined) {
      if (version === found?.version && this.windows.staleIfError > 0) return undefined;
      if (load === undefined && version.born > arrived) return undefined;
    }
    // Who reads anew may find what came meanwhile.
    if ((status === 'hit' || status === 'stale') && this.readsAnew(caller)) {
      const entry = status === 'hit' ? this.fresh(key) : this.live(key);
      if (entry?.version === version) return undefined;
    }
    if (status !== undefined && status !== 'miss' && status !== 'joined')
      return `no ${status} here`;
    if (load?.settled === undefined) return 'a value that no load brought';
    if (this.#between(key, version.born, arrived)) return 'a value revoked before the caller came';
    if (this.revokedLate(load, arrived)) return 'a value whose tag was invalidated before';
    if (caller.refresh && version.born < arrived && load.turn !== caller.turn) {
      return 'no value of its own refresh';
    }
    return load.settled.seq >= arrived ? undefined : 'a value of a load that had ended before';
  }

  #between(key: string, from: number, to: number, kinds?: readonly Revocation['kind'][]): boolean {
    return this.#revocations.some(
      (revocation) =>
        revocation.key === key &&
        from < revocation.seq &&
        revocation.seq <= to &&
        (kinds?.includes(revocation.kind) ?? true),
    );
  }

  #revoke(kind: Revocation['kind'], key: string): void {
    this.#revocations.push({ seq: ++this.seq, key, kind });
    const load = this.flights.get(key);
    if (load === undefined) return;
    load.revoked = true;
    this.flights.delete(key);
  }

  #store(version: Version, tags: readonly string[]): void {
    const storedAt = this.now();
    const freshUntil = storedAt + this.windows.ttl;
    const before = this.live(version.key);
    if (before !== undefined) this.#replaced.add(before);
    this.entries.set(version.key, { version, tags, storedAt, freshUntil });
  }
}

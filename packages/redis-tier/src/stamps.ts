import { randomBytes } from 'node:crypto';
import type { Commands } from './commands.js';
import { STAMP_LENGTH } from './stamped-tags.js';
import { isWrongType } from './failures.js';

/** Stamps kept in memory at most; above it, the oldest go. */
const MOST = 20_000;
/** Milliseconds in which the echo of a stamp that this process put is expected. */
const ECHO_WITHIN = 5000;
/** The least that a stamp lives, in milliseconds: what carries it dies with it. */
const LEAST_LIFE = 60 * 86_400_000;

/** An entry that lives no longer than this may lose its stamp at the worst a little before its end. */
const BRIEF_LIFE = 86_400_000;

/** Milliseconds that a stamp is taken to be the one that was prolonged. */
const PROLONGED_FOR = 3_600_000;

/** A read of stamps that is under way. */
interface Fetch {
  readonly keys: ReadonlySet<string>;
  /** Keys that changed since it was sent. */
  readonly changed: Set<string>;
  readonly ended: Promise<Buffer[]>;
  /** It looks whether others have changed a stamp, and memory hears what it finds. */
  readonly isCheck: boolean;
}

/**
 * The stamps of tags and of the whole namespace. An entry is valid while the stamps that it was
 * stored with are the present ones; whoever invalidates puts new random ones, in one step, however
 * many entries there are. What Redis has lost comes back as another stamp, never as an old one.
 */
export class Stamps {
  readonly #commands: Commands;
  readonly #life: number;
  /** Whether changes elsewhere are heard of, so that a stamp may be kept. */
  readonly #hears: () => boolean;
  readonly #kept = new Map<string, Buffer>();
  /** When this process last put a stamp under a key, on the monotonic clock. */
  readonly #put = new Map<string, number>();
  /** Stamps that live long enough for entries of this life, and how long that is believed. */
  readonly #prolonged = new Map<string, { readonly life: number; readonly until: number }>();
  readonly #fetches = new Set<Fetch>();
  /** Keys of stamps that this process has put since somebody asked for them. */
  readonly #watches = new Set<Set<string>>();
  /** What is read in this turn. */
  readonly #shared = new Map<string, Promise<Buffer[]>>();
  /** How often this process has put new stamps. */
  #renewals = 0;
  /** There were more stamps than are kept, so that what is not kept may have been known. */
  #hasForgotten = false;

  constructor(commands: Commands, maxTtl: number, hears: () => boolean) {
    this.#commands = commands;
    this.#life = Math.max(2 * maxTtl, LEAST_LIFE);
    this.#hears = hears;
  }

  /** How often this process has put new stamps. */
  get renewals(): number {
    return this.#renewals;
  }

  /** The present stamp of a key as this process knows it; `undefined` where it must ask. */
  kept(key: string): Buffer | undefined {
    return this.#hears() ? this.#kept.get(key) : undefined;
  }

  /** Those of all the keys, where none must be asked for. */
  allKept(keys: readonly string[]): Buffer[] | undefined {
    const stamps: Buffer[] = [];
    for (const key of keys) {
      const stamp = this.kept(key);
      if (stamp === undefined) return undefined;
      stamps.push(stamp);
    }
    return stamps;
  }

  /** The present stamps of keys, asking for those that are not kept. @throws (rejects) when Redis does not answer */
  async of(keys: readonly string[]): Promise<Buffer[]> {
    const unknown = keys.filter((key) => this.kept(key) === undefined);
    if (unknown.length === 0) return keys.map((key) => this.#kept.get(key) as Buffer);
    const kept = keys.map((key) => this.kept(key));
    const fetched = await this.#fetch(unknown);
    let next = 0;
    return kept.map((stamp) => stamp ?? (fetched[next++] as Buffer));
  }

  /**
   * Stamps that are asked for, for what is older than what this process puts from now on: `undefined`
   * where it puts one of them before they are known.
   */
  async unlessRenewed(
    keys: readonly string[],
    asked: Promise<Buffer[]>,
  ): Promise<Buffer[] | undefined> {
    const renewed = new Set<string>();
    this.#watches.add(renewed);
    try {
      const stamps = await asked;
      return keys.some((key) => renewed.has(key)) ? undefined : stamps;
    } finally {
      this.#watches.delete(renewed);
    }
  }

  /**
   * The stamps as they are in Redis, now, and for now only; those that are missing are made.
   *
   * @throws (rejects) when Redis does not answer
   */
  async read(keys: readonly string[]): Promise<Buffer[]> {
    const readings = await this.#commands.read(keys);
    const failure = readings.find((reading) => reading instanceof Error && !isWrongType(reading));
    if (failure !== undefined) throw failure as Error;
    if (readings.every(isStamp)) return readings;
    const fresh = keys.map(newStamp);
    this.#puts(keys.filter((_, at) => !isStamp(readings[at])));
    const made = (await this.#commands.run('stamps', keys, [...fresh, this.#life])) as unknown[];
    if (made.length === keys.length && made.every(isStamp)) return made;
    throw new TypeError('Redis answered with what are no stamps');
  }

  /** As `read`, once for all who ask for the same in one turn, before anything that they send then. */
  readShared(keys: readonly string[]): Promise<Buffer[]> {
    const name = keys.join('\n');
    let reading = this.#shared.get(name);
    if (reading === undefined) {
      reading = this.read(keys);
      if (this.#shared.size === 0) {
        queueMicrotask(() => {
          this.#shared.clear();
        });
      }
      this.#shared.set(name, reading);
    }
    return reading;
  }

  /**
   * Entries are stored that carry these stamps and live for so many milliseconds: without its stamp, an
   * entry is good for nothing.
   */
  outlive(keys: readonly string[], life: number): void {
    if (life <= BRIEF_LIFE) return;
    const now = performance.now();
    const short = keys.filter((key) => {
      const prolonged = this.#prolonged.get(key);
      return prolonged === undefined || prolonged.life < life || now > prolonged.until;
    });
    if (short.length === 0) return;
    for (const key of short) {
      this.#prolonged.delete(key);
      this.#prolonged.set(key, { life, until: now + PROLONGED_FOR });
      if (this.#prolonged.size > MOST) {
        this.#prolonged.delete(this.#prolonged.keys().next().value as string);
      }
    }
    this.#commands.run('prolong', short, [life, Math.max(2 * life, this.#life)]).catch(() => {
      for (const key of short) this.#prolonged.delete(key);
    });
  }

  /** Reads stamps, and keeps those that nothing changed meanwhile, as far as it was heard. */
  async #fetch(keys: readonly string[]): Promise<Buffer[]> {
    const fetch = this.#begin(keys, false);
    const stamps = await fetch.ended;
    keys.forEach((key, at) => {
      // What is known already is what memory goes by: the news that it changed must find it so.
      if (!fetch.changed.has(key) && !this.#kept.has(key)) this.#keep(key, stamps[at] as Buffer);
    });
    return stamps;
  }

  #begin(keys: readonly string[], isCheck: boolean): Fetch {
    const reading = this.read(keys);
    const fetch = { keys: new Set(keys), changed: new Set<string>(), ended: reading, isCheck };
    this.#fetches.add(fetch);
    const end = (): void => void this.#fetches.delete(fetch);
    // Registered before whoever waits for it: they find it gone.
    reading.then(end, end);
    return fetch;
  }

  /** Puts new stamps. @throws (rejects) when Redis did not take them */
  async renew(
    keys: readonly string[],
    tell: readonly [channel: string, message: string],
  ): Promise<void> {
    const stamps = keys.map(newStamp);
    this.#renewals++;
    this.#puts(keys);
    for (const key of keys) this.#prolonged.delete(key);
    for (const { changed } of this.#fetches) for (const key of keys) changed.add(key);
    for (const renewed of this.#watches) for (const key of keys) renewed.add(key);
    // What was read for others in this turn is what was there before.
    this.#shared.clear();
    keys.forEach((key, at) => {
      this.#kept.delete(key);
      this.#keep(key, stamps[at] as Buffer);
    });
    try {
      await this.#commands.run('restamp', keys, [...stamps, this.#life, ...tell]);
    } catch (error) {
      for (const key of keys) this.#kept.delete(key);
      // Redis may have them all the same, and what was loaded since may carry them.
      this.#hasForgotten = true;
      throw error;
    }
  }

  /**
   * Redis tells that a stamp has changed: whether somebody else invalidated what carries it. Where
   * this process may have done it, it must look, and memory goes on meanwhile.
   *
   * @param isInvalidation - false where a stamp was made, or got lost
   */
  isForeign(key: string, isInvalidation: boolean): boolean | Promise<boolean> {
    const fetches = [...this.#fetches].filter(({ keys }) => keys.has(key));
    for (const { changed } of fetches) changed.add(key);
    if (isInvalidation) this.#prolonged.delete(key);
    const putAt = this.#put.get(key);
    const isOwn = putAt !== undefined && performance.now() - putAt < ECHO_WITHIN;
    const before = this.#kept.get(key);
    if (isOwn || fetches.length > 0) return this.#isOther(key, isInvalidation, fetches, before);
    if (!isInvalidation && before !== undefined) {
      // That it was made may be heard of after it was read. Until that is known, nobody goes by it.
      this.#kept.delete(key);
      return this.#isOther(key, isInvalidation, fetches, before);
    }
    return this.#kept.delete(key) || this.#mayConcern(isInvalidation);
  }

  /** Whether there is another stamp than this process believes, or was just told. */
  async #isOther(
    key: string,
    isInvalidation: boolean,
    fetches: readonly Fetch[],
    before: Buffer | undefined,
  ): Promise<boolean> {
    // There may be entries with one that this process does not know any more.
    if (before === undefined && this.#hasForgotten) return true;
    try {
      // The question itself may have made the stamp; where another was known, memory must hear of it.
      const answering = before === undefined ? fetches : fetches.filter(({ isCheck }) => isCheck);
      const asked = await Promise.all(
        answering.map(async ({ keys, ended }) => (await ended)[[...keys].indexOf(key)]),
      );
      const fetch = this.#begin([key], true);
      const now = (await fetch.ended)[0] as Buffer;
      const believed = [before, ...asked];
      // What this process has put since then is newer than what it reads here, or the same.
      if (fetch.changed.has(key)) believed.push(this.#kept.get(key));
      else this.#keep(key, now);
      if (believed.every((stamp) => stamp === undefined)) return this.#mayConcern(isInvalidation);
      if (believed.some((stamp) => stamp?.equals(now))) {
        // It was not gone by meanwhile, and holds whether changes are heard of now or not.
        if (before?.equals(now) && !this.#kept.has(key)) this.#kept.set(key, now);
        return false;
      }
      // More has changed meanwhile: what stands there will be asked for, and not what stood there before.
      if (before !== undefined && this.#kept.get(key)?.equals(before)) this.#kept.delete(key);
      return true;
    } catch {
      this.#kept.delete(key);
      return true;
    }
  }

  /** Whether the news of a stamp that is not known here matters: nothing was stored with it. */
  #mayConcern(isInvalidation: boolean): boolean {
    return isInvalidation || this.#hasForgotten;
  }

  /** Knows nothing any more: what it has heard of may be out of date. */
  drop(): void {
    this.#kept.clear();
    this.#prolonged.clear();
    this.#hasForgotten = false;
    for (const { keys, changed } of this.#fetches) for (const key of keys) changed.add(key);
  }

  /**
   * Remembers a stamp, where a change of it would be heard of. Where news only lag, what is known stays:
   * memory holds what carries it.
   */
  #keep(key: string, stamp: Buffer): void {
    if (!this.#hears()) return;
    this.#kept.delete(key);
    this.#kept.set(key, stamp);
    if (this.#kept.size <= MOST) return;
    this.#kept.delete(this.#kept.keys().next().value as string);
    this.#hasForgotten = true;
  }

  #puts(keys: readonly string[]): void {
    const now = performance.now();
    for (const key of keys) {
      this.#put.delete(key);
      this.#put.set(key, now);
    }
    for (const [oldest, at] of this.#put) {
      if (now - at < ECHO_WITHIN && this.#put.size <= MOST) break;
      this.#put.delete(oldest);
    }
  }
}

function isStamp(reading: unknown): reading is Buffer {
  return Buffer.isBuffer(reading) && reading.length === STAMP_LENGTH;
}

function newStamp(): Buffer {
  return randomBytes(STAMP_LENGTH);
}

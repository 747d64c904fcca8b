import { idOf, type KeyId } from './cache-key.js';
import type { Clock, ClockTimer } from './clock.js';
import { describeValue } from './describe-value.js';
import { InvalidOptionError } from './errors.js';
import { isThenable } from './is-thenable.js';
import { hashOfKey } from './key-hash.js';
import { encodeKey } from './make-key.js';

/** Where a trace goes: a writable stream of Node, or anything like it. */
export interface TraceSink {
  /**
   * Where it names a second parameter, it calls that when it has taken the text, or could not.
   *
   * @returns false when it wants no more before `'drain'`
   */
  write(text: string, done?: (error?: Error | null) => void): unknown;
  on?(event: 'drain' | 'error', listener: (error?: unknown) => void): unknown;
  off?(event: 'drain' | 'error', listener: (error?: unknown) => void): unknown;
}

/** How a trace is recorded. */
export interface TraceOptions {
  /**
   * Writes hashes in the place of keys, of 64 bits, other ones in each recording: what was asked for
   * cannot be told from them, only whether it was the same.
   * @defaultValue `false`
   */
  hash?: boolean;
}

/** A trace that is being recorded. */
export interface TraceRecording {
  /** Accesses that were written, or will be with the next piece. */
  readonly recorded: number;
  /** Accesses that are not in the trace, since the sink was too slow or has failed. */
  readonly skipped: number;
  /** What the sink failed with: from then on accesses are only counted. `undefined` while all is well. */
  readonly error: unknown;
  /** Writes what is left, and ends it. The sink is not closed; what it could not take is still found out. */
  stop(): void;
}

/** Written at once, in characters. */
const PIECE = 16_384;
/** A key whose line would be longer than this, in characters, is written as its hash. */
const LONGEST = 1000;
/** Milliseconds after which what there is gets written. */
const PAUSE = 1000;

/** Writes one line for each access; what it costs is an event and a line. */
export class Recorder implements TraceRecording {
  recorded = 0;
  skipped = 0;
  error: unknown;
  readonly #sink: TraceSink;
  readonly #clock: Clock;
  readonly #nameOf: (key: unknown) => string;
  readonly #report: (error: unknown) => void;
  #text = '';
  /** Lines in it. */
  #lines = 0;
  /** Pieces of which the sink has not said what became of them. */
  #underway = 0;
  /** An event is still to come. */
  #awaitsError = false;
  #timer: ClockTimer | undefined;
  #isFull = false;
  #isOver = false;
  #ended: () => void = () => undefined;

  /** @throws InvalidOptionError for a sink or an option that cannot be meant */
  constructor(
    sink: TraceSink,
    options: TraceOptions,
    clock: Clock,
    report: (error: unknown) => void,
  ) {
    if (typeof (sink as Partial<TraceSink> | null | undefined)?.write !== 'function') {
      throw new InvalidOptionError(
        `recordTrace takes a stream to write to, got ${describeValue(sink)}`,
      );
    }
    if (typeof options !== 'object' || (options as unknown) === null) {
      throw new InvalidOptionError(
        `the options of recordTrace must be an object, got ${describeValue(options)}`,
      );
    }
    const { hash = false } = options;
    if (typeof (hash as unknown) !== 'boolean') {
      throw new InvalidOptionError(`hash must be true or false, got ${describeValue(hash)}`);
    }
    this.#sink = sink;
    this.#clock = clock;
    this.#report = report;
    this.#nameOf = hash ? hashedName() : nameOf;
    sink.on?.('drain', this.#drained);
    sink.on?.('error', this.#broke);
  }

  /** @param ended - called by `stop` */
  begin(ended: () => void): void {
    this.#ended = ended;
  }

  record(key: unknown): void {
    if (this.#isFull) {
      this.skipped++;
      return;
    }
    this.recorded++;
    this.#lines++;
    this.#text += `${this.#nameOf(key)}\n`;
    if (this.#text.length >= PIECE) this.#write();
    else if (this.#timer === undefined) this.#writeLater();
  }

  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#write();
    this.#sink.off?.('drain', this.#drained);
    this.#letGo();
    this.#ended();
  }

  #writeLater(): void {
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined;
      this.#write();
    }, PAUSE);
    if (typeof this.#timer === 'object') this.#timer.unref?.();
  }

  #write(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    const [text, lines] = [this.#text, this.#lines];
    this.#text = '';
    this.#lines = 0;
    if (text === '') return;
    let isLost = false;
    const lose = (error: unknown): void => {
      if (!isLost) this.#skip(lines);
      isLost = true;
      this.#fail(error);
    };
    try {
      const outcome = this.#hand(text, lose);
      // What it cannot take at once it would keep in memory, however much that gets.
      if (outcome === false && this.#sink.on !== undefined) this.#isFull = true;
      if (isThenable(outcome)) Promise.resolve(outcome).catch(lose);
    } catch (error) {
      lose(error);
    }
  }

  #hand(text: string, lose: (error: unknown) => void): unknown {
    const sink = this.#sink;
    if (sink.write.length < 2) return sink.write(text);
    this.#underway++;
    return sink.write(text, (error) => {
      this.#underway--;
      if (error !== undefined && error !== null) {
        // A stream tells this first, and by an event then, which would end a process where nobody listens.
        this.#awaitsError ||= this.error === undefined;
        lose(error);
      }
      this.#letGo();
    });
  }

  readonly #drained = (): void => {
    if (this.error === undefined) this.#isFull = false;
  };

  readonly #broke = (error?: unknown): void => {
    this.#awaitsError = false;
    this.#fail(error);
    this.#letGo();
  };

  #fail(error: unknown): void {
    if (this.error !== undefined) return;
    this.error = error ?? new Error('the sink of a trace failed');
    this.#isFull = true;
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#skip(this.#lines);
    this.#text = '';
    this.#lines = 0;
    this.#report(this.error);
  }

  /** Accesses that were thought to be in the trace are not. */
  #skip(accesses: number): void {
    this.recorded -= accesses;
    this.skipped += accesses;
  }

  #letGo(): void {
    if (!this.#isOver || this.#underway > 0 || this.#awaitsError) return;
    this.#sink.off?.('error', this.#broke);
  }
}

/**
 * A key as a line of its own: a text as it is, where it may be one; what is no text begins with `#`. Of a
 * symbol only the description is told.
 */
function nameOf(key: unknown): string {
  const name = typeof key === 'string' ? textAsLine(key) : `#${textOf(idOf(key))}`;
  // The hash of one key is the same in all recordings, so that they can be compared.
  return name.length > LONGEST ? `##${hashesOf(name, [0, 1])}` : name;
}

function textAsLine(text: string): string {
  // At its start, a file may have a byte order mark that is no part of a key.
  return /^#|^$|["\p{Control}\p{Surrogate}\ufeff]/u.test(text) ? JSON.stringify(text) : text;
}

function textOf(id: KeyId): string {
  return typeof id === 'symbol' ? id.toString() : encodeKey(id);
}

function hashedName(): (key: unknown) => string {
  const seeds = [Math.random(), Math.random()].map((part) => Math.floor(part * 2 ** 32));
  return (key) => hashesOf(nameOf(key), seeds);
}

function hashesOf(name: string, seeds: readonly number[]): string {
  return seeds.map((seed) => hashOfKey(name, seed).toString(16).padStart(8, '0')).join('');
}

import { idOf } from './cache-key.js';
import type { Clock, ClockTimer } from './clock.js';
import { describeValue } from './describe-value.js';
import { InvalidOptionError } from './errors.js';
import { hashOfKey } from './key-hash.js';
import { encodeKey } from './make-key.js';

/** Where a trace goes: a writable stream of Node, or anything like it. */
export interface TraceSink {
  /** @returns false when it wants no more before `'drain'` */
  write(text: string): unknown;
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
  /** Accesses that were left out, since the sink was too slow or had failed. */
  readonly skipped: number;
  /** Writes what is left, and ends it. The sink is not closed. */
  stop(): void;
}

/** Written at once, in characters. */
const PIECE = 16_384;
/** Milliseconds after which what there is gets written. */
const PAUSE = 1000;

/** Writes one line for each access; what it costs is an event and a line. */
export class Recorder implements TraceRecording {
  recorded = 0;
  skipped = 0;
  readonly #sink: TraceSink;
  readonly #clock: Clock;
  readonly #nameOf: (key: unknown) => string;
  readonly #report: (error: unknown) => void;
  #text = '';
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
    sink.on?.('error', this.#failed);
  }

  /** @param ended - called when it ends, however it does */
  begin(ended: () => void): void {
    this.#ended = ended;
  }

  record(key: unknown): void {
    if (this.#isFull) {
      this.skipped++;
      return;
    }
    this.recorded++;
    this.#text += `${this.#nameOf(key)}\n`;
    if (this.#text.length >= PIECE) this.#write();
    else if (this.#timer === undefined) this.#writeLater();
  }

  stop(): void {
    if (this.#isOver) return;
    this.#write();
    this.#end();
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
    const text = this.#text;
    this.#text = '';
    if (text === '') return;
    try {
      // What it cannot take at once it would keep in memory, however much that gets.
      this.#isFull = this.#sink.write(text) === false && this.#sink.on !== undefined;
    } catch (error) {
      this.#failed(error);
    }
  }

  readonly #drained = (): void => {
    this.#isFull = false;
  };

  readonly #failed = (error?: unknown): void => {
    this.#isFull = true;
    this.#report(error);
    this.#end();
  };

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sink.off?.('drain', this.#drained);
    this.#sink.off?.('error', this.#failed);
    this.#ended();
  }
}

/** A key as a line: a text as it is, where it may be one. */
function nameOf(key: unknown): string {
  if (typeof key === 'string') {
    return key === '' || /["\p{Control}]/u.test(key) ? JSON.stringify(key) : key;
  }
  const id = idOf(key);
  // A symbol has no text that another process would know; here it is only compared.
  return typeof id === 'symbol' ? id.toString() : encodeKey(id);
}

function hashedName(): (key: unknown) => string {
  const seeds = [Math.random(), Math.random()].map((part) => Math.floor(part * 2 ** 32));
  return (key) => {
    const name = nameOf(key);
    return seeds.map((seed) => hashOfKey(name, seed).toString(16).padStart(8, '0')).join('');
  };
}

import type { FrequencySketch } from './frequency-sketch.js';
import { Segment, Segments } from './segments.js';

/** The share of what is not window that may be protected. */
const PROTECTED = 0.8;
/** A newcomer asked for so often is now and then let in though it is not asked for more. */
const PROMISING = 6;
const ONCE_IN = 128;
/** Entries that one call moves from list to list at most. */
const MOVES = 256;

/** What decides who stays. */
export interface Admission {
  readonly sketch: FrequencySketch;
  readonly hashOf: (slot: number) => number;
  /** A whole number from 0 on, by chance. */
  readonly random: () => number;
}

/**
 * W-TinyLFU: what is new lives in a small LRU, the window. What falls out of it stays only if it is asked
 * for more often than what it would replace. The main part is segmented: what was used since it came in is
 * protected, the rest is on probation.
 */
export class WindowTinyLfu {
  readonly segments: Segments;
  readonly #admission: Admission;
  /** The share of the window, from 0 to 1. */
  #window: number;
  /** What fell out of the window last. */
  #candidate = -1;
  #isResizing = false;

  /** @param capacity - entries, or `undefined` where it is as large as what it holds */
  constructor(
    admission: Admission,
    window: number,
    readonly capacity: number | undefined,
    isWeighted = false,
  ) {
    this.#admission = admission;
    this.#window = window;
    this.segments = new Segments(isWeighted);
  }

  add(slot: number, weight = 1): void {
    this.segments.add(slot, Segment.Window, weight);
    this.#shrinkWindow();
    if (this.#isResizing) this.#resize();
  }

  use(slot: number): void {
    const { segments } = this;
    const segment = segments.segmentOf(slot);
    if (segment !== Segment.Probation) {
      segments.toNewest(slot, segment);
      return;
    }
    if (slot === this.#candidate) this.#candidate = -1;
    segments.toNewest(slot, Segment.Protected);
    this.#shrinkProtected();
  }

  remove(slot: number): void {
    if (slot === this.#candidate) this.#candidate = -1;
    this.segments.remove(slot);
  }

  /** Who goes: the candidate, or the one it is stronger than. */
  victim(): number {
    const { segments } = this;
    const candidate = this.#candidate;
    let oldest = segments.oldest(Segment.Probation);
    if (oldest === candidate || oldest < 0) oldest = segments.oldest(Segment.Protected);
    if (oldest < 0) return candidate < 0 ? segments.oldest(Segment.Window) : candidate;
    if (candidate < 0) return oldest;
    return this.#isStronger(candidate, oldest) ? oldest : candidate;
  }

  /** Makes the window so large, little by little; nobody has to go for it. */
  resize(window: number): void {
    this.#window = window;
    this.#isResizing = true;
    this.#candidate = -1;
    this.#resize();
  }

  *order(): Generator<number> {
    yield* this.segments.order(Segment.Probation);
    yield* this.segments.order(Segment.Protected);
    yield* this.segments.order(Segment.Window);
  }

  clear(): void {
    this.segments.clear();
    this.#candidate = -1;
    this.#isResizing = false;
  }

  get #capacity(): number {
    const [window, probation, isProtected] = this.segments.held;
    return this.capacity ?? window + probation + isProtected;
  }

  get #mostInWindow(): number {
    return Math.max(1, this.#window * this.#capacity);
  }

  #shrinkWindow(moves = MOVES): void {
    const { segments } = this;
    const most = this.#mostInWindow;
    while (segments.held[Segment.Window] > most && moves-- > 0) {
      this.#candidate = segments.oldest(Segment.Window);
      segments.toNewest(this.#candidate, Segment.Probation);
    }
  }

  #shrinkProtected(moves = MOVES): void {
    const { segments } = this;
    const most = Math.max(1, PROTECTED * (this.#capacity - this.#mostInWindow));
    while (segments.held[Segment.Protected] > most && moves-- > 0) {
      segments.toNewest(segments.oldest(Segment.Protected), Segment.Probation);
    }
  }

  /** A few of many moves: all at once would hold up whoever happens to ask. */
  #resize(): void {
    const { segments } = this;
    this.#shrinkProtected();
    const most = this.#mostInWindow;
    for (let moves = MOVES; moves > 0; moves--) {
      const oldest = segments.oldest(Segment.Probation);
      if (oldest < 0 || segments.held[Segment.Window] + segments.weightOf(oldest) > most) {
        this.#isResizing = false;
        return;
      }
      if (oldest === this.#candidate) this.#candidate = -1;
      segments.toOldest(oldest, Segment.Window);
    }
  }

  /** Strictly: a tie would let a scan through. */
  #isStronger(candidate: number, other: number): boolean {
    const { sketch, hashOf, random } = this.#admission;
    const frequency = sketch.frequency(hashOf(candidate));
    if (frequency > sketch.frequency(hashOf(other))) return true;
    // Against keys that were chosen for the counters that they share.
    return frequency >= PROMISING && random() % ONCE_IN === 0;
  }
}

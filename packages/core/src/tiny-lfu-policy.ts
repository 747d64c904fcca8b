import { uint32Column } from './column.js';
import { describeValue } from './describe-value.js';
import { InvalidOptionError } from './errors.js';
import { FrequencySketch } from './frequency-sketch.js';
import { hashOfKey, mixed } from './key-hash.js';
import { LruPolicy } from './lru-policy.js';
import type { Policy, PolicyFactory, PolicyLimits } from './policy.js';
import { ShadowCache } from './shadow-cache.js';
import { WindowTinyLfu, type Admission } from './window-tiny-lfu.js';

/** Below so many entries there is too little to learn from: strict LRU. */
const LEAST = 16;
/** The shares that a window can have, from nearly pure frequency to nearly pure recency. */
const WINDOWS = [0.02, 0.25, 0.8] as const;
/** Entries of a shadow, unless it would see less than one key in 2 ** 6. */
const SHADOW_SIZE = 64;
const SAMPLE_BITS = 6;
/** Entries of one that sees still less: no shadow is larger, however large the cache may get. */
const MOST_SHADOWED = 16_384;
/** Misses that are remembered, so that the entry that follows one is not counted once more. */
const MISSES = 1024;
/** One of so many hits is counted: it costs the most of a hit, and little is learnt from each. */
const HITS_COUNTED = 4;

/** How the policy `'tinylfu'` chooses. */
export interface TinyLfuOptions {
  /**
   * For hashes and choices by chance: the same seed and the same calls give the same evictions.
   * @defaultValue one drawn for each cache, so that nobody can know which keys collide
   */
  seed?: number;
}

/**
 * The policy `'tinylfu'`, for those who want to say more than its name.
 *
 * A cache of fewer than 16 entries is strict LRU.
 *
 * @throws InvalidOptionError for a seed that is no finite number
 */
export function tinyLfu({ seed = Math.random() * 2 ** 32 }: TinyLfuOptions = {}): PolicyFactory {
  if (typeof seed !== 'number' || !Number.isFinite(seed)) {
    throw new InvalidOptionError(`seed must be a finite number, got ${describeValue(seed)}`);
  }
  return (limits) => {
    const isBounded = limits.maxSize !== Infinity || limits.maxWeight !== Infinity;
    if (limits.maxSize < LEAST || !isBounded) return new LruPolicy(limits);
    return new TinyLfuPolicy(limits, seed >>> 0);
  };
}

/**
 * W-TinyLFU whose window is chosen by what is asked for: small shadows of the cache see a part of the
 * keys, each with a window of its own, and the one that serves best shows which to take.
 */
export class TinyLfuPolicy implements Policy {
  readonly #limits: PolicyLimits;
  readonly #seed: number;
  readonly #isWeighted: boolean;
  readonly #sketch = new FrequencySketch();
  readonly #lists: WindowTinyLfu;
  readonly #admission: Admission;
  #hashes: Uint32Array = new Uint32Array(16);
  #missed: Uint32Array | undefined;
  #shadows: readonly ShadowCache[] = [];
  /** Entries of each shadow, and the part of the hashes that they see. */
  #shadowSize = 0;
  #sampleMask = 0;
  /** What the cache held when its shadows were made. */
  #shadowed = 0;
  #window: number = WINDOWS[0];
  #sampled = 0;
  #hits = 0;
  #random: number;

  constructor(limits: PolicyLimits, seed: number) {
    this.#limits = limits;
    this.#seed = seed;
    this.#random = mixed(seed) | 1;
    this.#admission = {
      sketch: this.#sketch,
      hashOf: (slot) => this.#hashes[slot] as number,
      random: () => this.#nextRandom(),
    };
    const isWeighted = limits.maxWeight !== Infinity;
    this.#isWeighted = isWeighted;
    const capacity = isWeighted ? undefined : limits.maxSize;
    this.#lists = new WindowTinyLfu(this.#admission, WINDOWS[0], capacity, isWeighted);
    if (capacity !== undefined) this.#makeShadows(capacity);
  }

  add(slot: number, key: unknown): void {
    const hash = hashOfKey(key, this.#seed);
    if (slot >= this.#hashes.length) {
      const larger = uint32Column(Math.max(slot + 1, 2 * this.#hashes.length));
      larger.set(this.#hashes);
      this.#hashes = larger;
    }
    this.#hashes[slot] = hash;
    if (!this.#wasMissed(hash)) this.#asked(hash);
    this.#lists.add(slot, this.#limits.weightOf(slot));
    this.#sketch.reserve(this.#lists.segments.size);
  }

  use(slot: number): void {
    const hash = this.#hashes[slot] as number;
    if (this.#isWeighted) this.#lists.segments.weigh(slot, this.#limits.weightOf(slot));
    this.#lists.use(slot);
    if (++this.#hits % HITS_COUNTED === 0) this.#sketch.count(hash);
    if ((hash & this.#sampleMask) === 0) this.#show(hash);
  }

  missed(key: unknown): void {
    const hash = hashOfKey(key, this.#seed);
    this.#missed ??= new Uint32Array(MISSES);
    this.#missed[hash % MISSES] = hash;
    this.#asked(hash);
  }

  remove(slot: number): void {
    this.#lists.remove(slot);
  }

  victim(): number {
    const size = this.#lists.capacity ?? this.#lists.segments.size;
    // Weights may let in more entries than before, or fewer; and after `clear` there are none.
    if (size > 2 * this.#shadowed || 2 * size < this.#shadowed) this.#makeShadows(size);
    return this.#lists.victim();
  }

  order(): Iterable<number> {
    return this.#lists.order();
  }

  clear(): void {
    this.#lists.clear();
    this.#sketch.clear();
    this.#hashes = new Uint32Array(16);
    this.#missed = undefined;
    this.#shadows = [];
    this.#shadowed = this.#shadowSize = this.#sampled = 0;
  }

  /** A key was asked for that is not there. */
  #asked(hash: number): void {
    this.#sketch.count(hash);
    if ((hash & this.#sampleMask) === 0) this.#show(hash);
  }

  /** Whether a miss of a key was counted and nothing was added since. */
  #wasMissed(hash: number): boolean {
    if (this.#missed?.[hash % MISSES] !== hash) return false;
    this.#missed[hash % MISSES] = 0;
    return true;
  }

  #makeShadows(size: number): void {
    // The part of the hashes whose highest bits are 0, so many: by the lowest the sketch chooses its blocks.
    let bits = 0;
    const seen = (): number => size / 2 ** bits;
    while (bits < SAMPLE_BITS && seen() / 2 >= SHADOW_SIZE) bits++;
    while (bits < 32 && seen() > MOST_SHADOWED) bits++;
    this.#shadowed = size;
    this.#shadowSize = Math.min(MOST_SHADOWED, Math.max(1, Math.round(seen())));
    this.#sampleMask = bits === 0 ? 0 : -1 << (32 - bits);
    this.#shadows = WINDOWS.map(
      (window) => new ShadowCache(this.#admission, window, this.#shadowSize),
    );
    this.#sampled = 0;
  }

  #show(hash: number): void {
    for (const shadow of this.#shadows) shadow.access(hash);
    const round = Math.max(50, 2 * this.#shadowSize);
    if (++this.#sampled >= round && this.#shadows.length > 0) this.#choose(round);
  }

  /** Takes the window that would have served best, if it leads. */
  #choose(round: number): void {
    this.#sampled = 0;
    let best: ShadowCache | undefined;
    let current: ShadowCache | undefined;
    for (const shadow of this.#shadows) {
      shadow.score = 0.9 * shadow.score + shadow.hits;
      shadow.hits = 0;
      if (best === undefined || shadow.score > best.score) best = shadow;
      if (shadow.window === this.#window) current = shadow;
    }
    if (best === undefined || best.score <= (current?.score ?? 0) + 0.005 * round) return;
    this.#window = best.window;
    this.#lists.resize(best.window);
  }

  #nextRandom(): number {
    let next = this.#random;
    next ^= next << 13;
    next ^= next >>> 17;
    next ^= next << 5;
    this.#random = next;
    return next >>> 0;
  }
}

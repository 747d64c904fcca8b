import type { Place } from './totals.js';

/** How long the loads of one cache took. */
export interface LoadTimes {
  /** For each bound how many took at most so long, those of the bounds before it included. */
  readonly buckets: readonly number[];
  readonly count: number;
  /** Seconds. */
  readonly sum: number;
}

interface Counted {
  /** How many fell between a bound and the one before it; the last are beyond every bound. */
  readonly between: number[];
  sum: number;
}

/** Counts loads by how long they took, for each place. What a place has counted goes with it. */
export class LoadHistogram {
  readonly #bounds: readonly number[];
  readonly #counted = new WeakMap<Place, Counted>();

  /** @param bounds - seconds, ascending */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
  }

  count(place: Place, seconds: number): void {
    const counted = this.#of(place);
    const at = this.#bounds.findIndex((bound) => seconds <= bound);
    const bucket = at < 0 ? this.#bounds.length : at;
    counted.between[bucket] = (counted.between[bucket] as number) + 1;
    counted.sum += seconds;
  }

  read(place: Place): LoadTimes {
    const { between, sum } = this.#of(place);
    let count = 0;
    const upTo = between.map((loads) => (count += loads));
    return { buckets: upTo.slice(0, -1), count, sum };
  }

  #of(place: Place): Counted {
    const known = this.#counted.get(place);
    if (known !== undefined) return known;
    const counted = { between: new Array<number>(this.#bounds.length + 1).fill(0), sum: 0 };
    this.#counted.set(place, counted);
    return counted;
  }
}

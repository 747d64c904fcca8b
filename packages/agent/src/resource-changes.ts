import { RecentMap } from './recent-map.js';
import { shortText } from './short-text.js';
import type { WatchedCall } from './watched-call.js';

/** Paths that are remembered, at least; twice as many at most. */
const MAX_PATHS = 256;
const LONG_PATH = 128;

/**
 * Which resources were changed, when, and by which call. Instants are counts of the detector; 0 is never.
 *
 * A change of T concerns whatever conflicts with it: T itself, the ancestors of T, and what is part of T.
 * So it leaves one mark at T and one beneath each of T's ancestors, and whoever asks about T looks at T
 * and beneath it, and at its ancestors. Tools of unknown effect may touch anything: their calls conflict
 * with each other and with every mutation, and with no read that was declared.
 *
 * Constant in time for a path, times the number of its segments. A path that was forgotten counts as
 * changed at the latest instant it can have been.
 */
export class ResourceChanges {
  readonly #places = new RecentMap<string, Place>(MAX_PATHS, () => this.#forgot());
  #anything = new Mark();
  #now = 0;
  /** What was forgotten was not changed after this. */
  #forgottenUntil = 0;
  #thisGenerationBegan = 0;

  /** How many paths it holds, at most `2 * MAX_PATHS`. */
  get size(): number {
    return this.#places.size;
  }

  /** A mutation begins or ends. */
  touch(call: WatchedCall, now: number): void {
    this.#mark(call, now, (mark) => (mark.touchedAt = now));
  }

  /** A call that differs from those before changed its resources, or failed to. */
  change(call: WatchedCall, by: number, now: number, succeeded: boolean): void {
    this.#mark(call, now, (mark) => mark.change(by, now, succeeded));
  }

  /** When a call other than `caller` last changed what concerns this one. */
  lastChange(call: WatchedCall, caller: number): number {
    return this.#latest(call, (mark) => (caller === mark.by ? mark.atByOthers : mark.at));
  }

  /** When what concerns this call was last changed with success. */
  lastSuccess(call: WatchedCall): number {
    return this.#latest(call, (mark) => mark.succeededAt);
  }

  /** When a mutation of what concerns this call last began or ended. */
  lastTouch(call: WatchedCall): number {
    return this.#latest(call, (mark) => mark.touchedAt);
  }

  clear(): void {
    this.#places.clear();
    this.#anything = new Mark();
    this.#forgottenUntil = 0;
    this.#thisGenerationBegan = 0;
  }

  #mark({ effect, resources }: WatchedCall, now: number, set: (mark: Mark) => void): void {
    this.#now = now;
    set(this.#anything);
    if (effect === 'unknown') return;
    for (const path of resources) {
      set(this.#placeOf(path).itself);
      forEachAncestor(path, (ancestor) => set(this.#placeOf(ancestor).beneath));
    }
  }

  #latest({ effect, resources }: WatchedCall, of: (mark: Mark) => number): number {
    if (effect === 'unknown') return of(this.#anything);
    if (resources.length === 0) return 0;
    let latest = 0;
    for (const path of resources) {
      const place = this.#places.get(shortText(path));
      if (place !== undefined) latest = Math.max(latest, of(place.itself), of(place.beneath));
      forEachAncestor(path, (ancestor) => {
        const above = this.#places.get(shortText(ancestor));
        if (above !== undefined) latest = Math.max(latest, of(above.itself));
      });
    }
    // Asked last: to look at one place may be to forget another.
    return Math.max(latest, this.#forgottenUntil);
  }

  #placeOf(path: string): Place {
    const key = shortText(path);
    let place = this.#places.get(key);
    if (place === undefined) this.#places.set(key, (place = new Place()));
    return place;
  }

  /** What went now was not marked since its generation ended, which is when this one began. */
  #forgot(): void {
    this.#forgottenUntil = this.#thisGenerationBegan;
    this.#thisGenerationBegan = this.#now;
  }
}

class Mark {
  /** The last change, and the call that made it. */
  at = 0;
  by = 0;
  /** The last change that any other call made. */
  atByOthers = 0;
  /** The last change that succeeded. */
  succeededAt = 0;
  /** The last time that a mutation began or ended, whether it was told apart from others or not. */
  touchedAt = 0;

  change(by: number, now: number, succeeded: boolean): void {
    if (by !== this.by) this.atByOthers = this.at;
    this.by = by;
    this.at = now;
    if (succeeded) this.succeededAt = now;
  }
}

class Place {
  readonly itself = new Mark();
  /** What is part of it. */
  readonly beneath = new Mark();
}

/** `a:b`, `a` and `''` of `a:b:c`. */
function forEachAncestor(path: string, visit: (ancestor: string) => void): void {
  if (path === '') return;
  for (let end = path.lastIndexOf(':'); end > 0; end = path.lastIndexOf(':', end - 1)) {
    const ancestor = path.slice(0, end);
    visit(path.length > LONG_PATH ? copyOf(ancestor) : ancestor);
  }
  visit('');
}

/** A part of a text keeps all of it in memory. */
function copyOf(part: string): string {
  return Array.from(part).join('');
}

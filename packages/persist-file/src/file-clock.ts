import type { Clock } from '@acache/core';

/** What a file knows of time. */
export interface FileTime {
  /** The latest instant that it has seen, in its own time; `-Infinity` for none. */
  readonly latest: number;
  /** Milliseconds by which its time is ahead of the clock: as much as that was set back. */
  readonly ahead: number;
}

/** A file that has seen nothing yet. */
export const NO_TIME: FileTime = { latest: -Infinity, ahead: 0 };

/** Of two things that a file knows, what is true after both: neither ever gets smaller. */
export function laterOf(a: FileTime, b: FileTime): FileTime {
  if (b.latest <= a.latest && b.ahead <= a.ahead) return a;
  return { latest: Math.max(a.latest, b.latest), ahead: Math.max(a.ahead, b.ahead) };
}

/** Two numbers of a file as its time; where a clock that was out of its mind wrote them, no time. */
export function asFileTime(latest: number, ahead: number): FileTime {
  const isSane = Math.abs(latest) <= Number.MAX_SAFE_INTEGER && ahead >= 0 && ahead < Infinity;
  return isSane ? { latest, ahead } : NO_TIME;
}

/**
 * The time of a file: that of the clock, but where the clock is behind what the file has seen, it goes on
 * from there, as the clock of a cache does when it is set back while it runs. All instants in the file are
 * of this time; those of the cache are of the clock's.
 */
export class FileClock {
  readonly #clock: Pick<Clock, 'now'>;
  #latest = NO_TIME.latest;
  #ahead = NO_TIME.ahead;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** Milliseconds from the clock's time to the file's. It stays the same from the opening on. */
  get ahead(): number {
    return this.#ahead;
  }

  /** What the file is to know from now on. */
  get time(): FileTime {
    return { latest: Math.max(this.#latest, this.now()), ahead: this.#ahead };
  }

  now(): number {
    return this.#clock.now() + this.#ahead;
  }

  /**
   * Goes on from what a file knows.
   *
   * @returns whether the clock was set back since: the file does not know yet how far
   */
  follow({ latest, ahead }: FileTime): boolean {
    this.#latest = latest;
    // Whole milliseconds, so that instants are the same after they were moved there and back.
    const missing = Math.ceil(latest - this.#clock.now());
    this.#ahead = missing > ahead ? missing : ahead;
    return missing > ahead;
  }
}

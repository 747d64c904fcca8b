import { LONGEST_TIMER, type Clock, type ClockTimer } from './clock.js';
import { runOutsideRequests } from './outside-requests.js';

/** How far beyond a look at the clock an entry must be fresh to be served without another look. */
const HORIZON = 1000;
/** A look at the clock is forgotten after so long: half of the horizon is left for a late timer. */
const FORGET_AFTER = 500;
/** Every instant lies before this: nothing that expires is known to be fresh without a look. */
const UNKNOWN = Number.MAX_VALUE;

const dateNow = Date.now;

/** The timer of one cache, as it is known when the cache is gone. */
interface PendingTimer {
  readonly clock: Clock;
  timer: ClockTimer | undefined;
}

/** Calls off the timers of caches that were collected: many small ones may come and go within a ttl. */
const collected = new FinalizationRegistry<PendingTimer>(callOff);

function callOff(pending: PendingTimer): void {
  const { clock, timer } = pending;
  pending.timer = undefined;
  if (timer !== undefined) clock.clearTimeout(timer);
}

/**
 * The time of one cache, and the only timer that it has for its own upkeep.
 *
 * A look at the clock costs as much as half a hit. So one look answers for half a second: entries
 * that are fresh beyond the `horizon` are served without another. Within the last second of its ttl
 * an entry is looked at exactly; it could outlive the ttl only while one turn of the event loop
 * blocks for half a second. Whoever hands in a clock, or replaces `Date.now`, gets every look.
 */
export class Timekeeper {
  horizon = UNKNOWN;
  readonly clock: Clock;

  readonly #isPlatforms: boolean;
  readonly #upkeep: (now: number) => number;
  readonly #pending: PendingTimer;
  #timerAt = Infinity;
  #upkeepAt = Infinity;
  #forgetAt = Infinity;
  #stopped = false;
  #waking = false;
  /** Whether its timer is called off when it is collected. */
  #registered = false;

  /**
   * @param isPlatforms - whether the clock is the platform's, which the horizon relies on
   * @param upkeep - called at the instant given to `planUpkeep`; answers with the instant at which
   *   it wants to be called again, `Infinity` for never
   */
  constructor(clock: Clock, isPlatforms: boolean, upkeep: (now: number) => number) {
    this.clock = clock;
    this.#pending = { clock, timer: undefined };
    this.#isPlatforms = isPlatforms;
    this.#upkeep = upkeep;
  }

  /** True while `Date.now` is the platform's, so that the horizon holds. */
  get trusted(): boolean {
    return Date.now === dateNow;
  }

  now(): number {
    return this.clock.now();
  }

  /** An entry fresh until `freshUntil` was read with a look at the clock at `now`. */
  looked(now: number, freshUntil: number): void {
    if (this.#forgetAt !== Infinity || freshUntil <= now + HORIZON) return;
    if (!this.#isPlatforms || this.#stopped) return;
    this.#forgetAt = now + FORGET_AFTER;
    this.#wake();
  }

  /** Asks for upkeep at an instant; the earliest that was asked for counts. */
  planUpkeep(at: number): void {
    if (at >= this.#upkeepAt || this.#stopped) return;
    this.#upkeepAt = at;
    if (at < this.#timerAt) this.#wake();
  }

  stop(): void {
    this.#stopped = true;
    this.horizon = UNKNOWN;
    callOff(this.#pending);
  }

  /** Sets the timer, outside of the request that needs it. */
  #wake(): void {
    if (this.#waking) return;
    this.#waking = true;
    const weak = new WeakRef(this);
    runOutsideRequests(() => {
      const self = weak.deref();
      if (self === undefined) return;
      self.#waking = false;
      self.#arm();
    });
  }

  #arm(): void {
    const at = Math.min(this.#forgetAt, this.#upkeepAt);
    if (this.#stopped || at === Infinity || at >= this.#timerAt) return;
    if (this.#pending.timer !== undefined) callOff(this.#pending);
    const now = this.clock.now();
    const delay = Math.min(Math.max(at - now, 1), LONGEST_TIMER);
    // Only a weak reference: a cache that nobody holds any more can be collected before its timer.
    const weak = new WeakRef(this);
    const timer = this.clock.setTimeout(() => {
      const self = weak.deref();
      if (self !== undefined) self.#tick();
    }, delay);
    if (typeof timer === 'object') timer.unref?.();
    this.#pending.timer = timer;
    this.#timerAt = at;
    if (!this.#registered) {
      this.#registered = true;
      collected.register(this, this.#pending);
    }
    // From here on the look will be forgotten in time.
    if (this.#forgetAt !== Infinity && this.horizon === UNKNOWN) this.horizon = now + HORIZON;
  }

  #tick(): void {
    this.#pending.timer = undefined;
    this.#timerAt = Infinity;
    const now = this.clock.now();
    if (now >= this.#forgetAt) {
      this.#forgetAt = Infinity;
      this.horizon = UNKNOWN;
    }
    if (now >= this.#upkeepAt) {
      this.#upkeepAt = Infinity;
      this.planUpkeep(this.#upkeep(now));
    }
    this.#arm();
  }
}

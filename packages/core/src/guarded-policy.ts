import { describeValue } from './describe-value.js';
import { CacheError } from './errors.js';
import { isThenable } from './is-thenable.js';
import { LruPolicy } from './lru-policy.js';
import type { Policy, PolicyLimits, StorePolicy } from './policy.js';
import { TinyLfuPolicy } from './tiny-lfu-policy.js';

/** What a store holds: what a policy says is checked against it. */
export interface HeldSlots {
  readonly occupied: number;
  holds(slot: number): boolean;
  /** Every slot; up to a million of them, the one whose entry came in first at the front. */
  heldSlots(): Iterable<number>;
}

/** What a guarded policy needs. */
export interface Guard {
  readonly limits: PolicyLimits;
  /** Asked for when it is needed, since a store is made with its policy. */
  readonly store: () => HeldSlots;
  /** Called once, when LRU has taken over; never while the store is being changed. */
  readonly failed: (error: unknown) => void;
}

/** A policy as the store may ask it: our own ones as they are, any other behind a guard. */
export function guarded(policy: Policy, guard: Guard): StorePolicy {
  const isOurs = policy instanceof LruPolicy || policy instanceof TinyLfuPolicy;
  return isOurs ? policy : new GuardedPolicy(policy, guard);
}

/** How often a policy may be asked from within itself, as one is that changes the cache. */
const DEEPEST = 8;

/**
 * A policy that may be wrong. One that throws, or names what is no entry, does not know what there is: it
 * is asked no more, and LRU goes on with what the store holds.
 */
class GuardedPolicy implements StorePolicy {
  readonly knowsKeys: boolean;
  #policy: Policy;
  #hasFailed = false;
  #depth = 0;
  readonly #guard: Guard;

  constructor(policy: Policy, guard: Guard) {
    this.knowsKeys = policy.knowsKeys !== false;
    this.#policy = policy;
    this.#guard = guard;
  }

  // What LRU takes over has the newcomer of an `add`, and not the entry of a `remove`: neither is told again.
  add(slot: number, key: unknown): void {
    this.#tell((policy) => policy.add(slot, key));
  }

  remove(slot: number): void {
    this.#tell((policy) => policy.remove(slot));
  }

  use(slot: number): void {
    const isTold = this.#tell((policy) => policy.use(slot));
    // It may have changed the cache before it failed.
    if (!isTold && this.#isHeld(slot)) this.#policy.use(slot);
  }

  missed(key: unknown): void {
    this.#tell((policy) => policy.missed?.(key));
  }

  clear(): void {
    this.#tell((policy) => policy.clear());
  }

  victim(): number {
    let named: unknown;
    if (this.#tell((policy) => (named = policy.victim()))) {
      if (this.#isHeld(named)) return named;
      this.#takeOver(misnamed('victim() must name the slot of an entry', named));
    }
    return this.#policy.victim();
  }

  order(): Iterable<number> {
    const slots = new Set<number>();
    const readAll = (policy: Policy): void => {
      for (const slot of policy.order() as Iterable<unknown>) {
        if (!this.#isHeld(slot) || slots.has(slot)) {
          throw misnamed('order() must name the slot of each entry once', slot);
        }
        slots.add(slot);
      }
      const { occupied } = this.#guard.store();
      if (slots.size === occupied) return;
      throw misnamed(`order() must name ${occupied} entries`, slots.size);
    };
    return this.#tell(readAll) ? slots : this.#policy.order();
  }

  #isHeld(slot: unknown): slot is number {
    return typeof slot === 'number' && this.#guard.store().holds(slot);
  }

  /** @returns false where it failed, and LRU has taken over */
  #tell(what: (policy: Policy) => unknown): boolean {
    try {
      if (++this.#depth > DEEPEST && !this.#hasFailed) throw tooDeep();
      const outcome = what(this.#policy);
      if (isThenable(outcome)) {
        Promise.resolve(outcome).catch((error: unknown) => {
          this.#takeOver(error);
        });
      }
      return true;
    } catch (error) {
      this.#takeOver(error);
      return false;
    } finally {
      this.#depth--;
    }
  }

  #takeOver(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    const { failed, limits, store } = this.#guard;
    const lru = new LruPolicy(limits);
    for (const slot of store().heldSlots()) lru.add(slot);
    this.#policy = lru;
    // Later, since whoever listens may change the cache.
    void Promise.resolve().then(() => {
      failed(error);
    });
  }
}

function tooDeep(): CacheError {
  return new CacheError(
    'ERR_ACACHE_POLICY',
    'a policy must not change the cache whenever it is told of a change; the cache goes on as LRU',
  );
}

function misnamed(expected: string, got: unknown): CacheError {
  return new CacheError(
    'ERR_ACACHE_POLICY',
    `policy.${expected}, got ${describeValue(got)}; the cache goes on as LRU`,
  );
}

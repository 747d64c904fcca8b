import { describeValue } from './describe-value.js';
import { InvalidOptionError } from './errors.js';

/**
 * Decides which entry goes when there is no room; one that throws, or names what is no entry, is asked no
 * more, and LRU goes on in its place. The store tells it what happens; it knows an
 * entry by its **slot**, a small whole number from 1 on that is used again once the entry is gone. A
 * `key` is given as the cache indexes it: a primitive as it is, an object as a text.
 */
export interface Policy {
  /** False for one that looks at no key: an entry that is put back may then come without it. */
  readonly knowsKeys?: boolean;
  /** An entry came in. */
  add(slot: number, key: unknown): void;
  /** An entry was served, or overwritten. */
  use(slot: number): void;
  /** An entry is gone, for whatever reason; also the one that `victim` named. */
  remove(slot: number): void;
  /** The entry that goes next. Asked only while there is one; it may be the one just added. */
  victim(): number;
  /** A key was asked for and is not there: a load of it begins, and an `add` may follow. */
  missed?(key: unknown): void;
  /** Every entry, the one that goes first at the front. */
  order(): Iterable<number>;
  /** Every entry is gone. */
  clear(): void;
}

/** A policy as the store asks it. */
export interface StorePolicy extends Policy {
  /**
   * True for one that never turns a newcomer away, and does nothing to the cache when it is asked: room may
   * then be made before a newcomer comes in, which is cheaper.
   */
  readonly admitsAll?: boolean;
}

/** What a policy is made for. */
export interface PolicyLimits {
  /** Entries; `Infinity` when only weight bounds the store. */
  readonly maxSize: number;
  /** Weight; `Infinity` when only the number of entries bounds the store. */
  readonly maxWeight: number;
  /** The weight of an entry; 1 when the cache has no `weigh`. */
  weightOf(slot: number): number;
}

/** Makes the policy of one cache. */
export type PolicyFactory = (limits: PolicyLimits) => Policy;

/** What every policy must have; `missed` is optional. */
const POLICY_METHODS = ['add', 'use', 'remove', 'victim', 'order', 'clear'] as const;

/** @throws InvalidOptionError for what a factory made that is no policy */
export function checkPolicy(made: unknown): void {
  const policy = made as Partial<Record<string, unknown>> | null | undefined;
  const lacking = POLICY_METHODS.find((name) => typeof policy?.[name] !== 'function');
  if (lacking !== undefined) {
    throw new InvalidOptionError(
      `policy must make an object with ${POLICY_METHODS.join(', ')}; ${lacking} is no function in ${describeValue(made)}`,
    );
  }
  const { knowsKeys } = policy as Partial<Policy>;
  if (knowsKeys === undefined || typeof knowsKeys === 'boolean') return;
  throw new InvalidOptionError(
    `knowsKeys of a policy must be true or false, got ${describeValue(knowsKeys)}`,
  );
}

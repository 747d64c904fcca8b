import { describeValue } from './describe-value.js';
import { InvalidOptionError } from './errors.js';

/** Turns values into bytes and back, for what lies outside this process's memory. */
export interface Serializer {
  /** @throws when the value has no form in bytes; it is then kept in memory only */
  serialize(value: unknown): Uint8Array;
  /** @throws when the bytes are none of its own; the entry is then a miss */
  deserialize(bytes: Uint8Array): unknown;
}

/**
 * A `serializer` option that was given.
 *
 * @throws InvalidOptionError for what is none
 */
export function checkSerializer(given: unknown): Serializer {
  const { serialize, deserialize } = (given ?? {}) as Partial<Serializer>;
  if (typeof serialize === 'function' && typeof deserialize === 'function') {
    return given as Serializer;
  }
  throw new InvalidOptionError(
    `serializer must have serialize and deserialize, got ${describeValue(given)}`,
  );
}

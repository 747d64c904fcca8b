import { describeValue } from './describe-value.js';
import { InvalidOptionError } from './errors.js';

/**
 * What `weigh` answered.
 *
 * @throws InvalidOptionError when it is no weight
 */
export function checkWeight(weight: number): number {
  if (typeof weight === 'number' && weight >= 0 && weight < Infinity) return weight;
  throw new InvalidOptionError(
    `weigh must answer with a finite number of at least 0, got ${describeValue(weight)}`,
  );
}

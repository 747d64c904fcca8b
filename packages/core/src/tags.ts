import { describeValue } from './describe-value.js';
import { InvalidOptionError } from './errors.js';

/**
 * The tags, each once, in an array of its own.
 *
 * @throws InvalidOptionError when they are not an array of texts
 */
export function checkTags(tags: readonly string[], name = 'tags'): readonly string[] {
  if (!Array.isArray(tags)) {
    throw new InvalidOptionError(`${name} must be an array of texts, got ${describeValue(tags)}`);
  }
  for (const tag of tags as readonly unknown[]) {
    if (typeof tag !== 'string' || tag === '') {
      throw new InvalidOptionError(
        `${name} must hold texts that are not empty, got ${describeValue(tag)}`,
      );
    }
  }
  // A copy: what the caller does to its array later must not reach the index.
  return [...new Set(tags as readonly string[])];
}

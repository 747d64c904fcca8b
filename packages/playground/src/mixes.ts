import { fieldsOf, isWhole, wrong } from './settings.js';

/** Which keys are asked for, and how. */
export interface Mix {
  /** What people call it. */
  readonly title: string;
  readonly requests: number;
  /** How many of the requests are for one and the same key. */
  readonly same: number;
  /** How many different keys the others are for, in turns. */
  readonly different: number;
  /** Requests that are under way at once. */
  readonly concurrency: number;
  /** True for keys that no run before had. */
  readonly newKeys: boolean;
}

/** The three collections that async-cache's own page has. */
export const COLLECTIONS = {
  same: { title: '100 same', requests: 100, same: 100, different: 0 },
  unique: { title: '100 unique', requests: 100, same: 0, different: 100 },
  half: { title: '50 same + 50 different', requests: 100, same: 50, different: 50 },
} as const;

const MOST_REQUESTS = 100_000;

/** @throws InvalidOptionError for what cannot be meant */
export function readMix(given: unknown): Mix {
  const fields = fieldsOf(given, 'mix');
  const { collection } = fields;
  const newKeys = fields.newKeys === true;
  if (collection !== undefined) {
    if (typeof collection !== 'string' || !Object.hasOwn(COLLECTIONS, collection)) {
      throw wrong('collection', `one of ${Object.keys(COLLECTIONS).join(', ')}`, collection);
    }
    const found = COLLECTIONS[collection as keyof typeof COLLECTIONS];
    return { ...found, concurrency: found.requests, newKeys };
  }
  const { concurrency, different, requests, same } = fields;
  if (!isWhole(requests, 1, MOST_REQUESTS)) {
    throw wrong('requests', `a whole number from 1 to ${MOST_REQUESTS}`, requests);
  }
  if (!isWhole(same, 0, requests)) throw wrong('same', `from 0 to ${requests}`, same);
  if (!isWhole(different, same === requests ? 0 : 1, MOST_REQUESTS)) {
    throw wrong('different', 'at least 1, for the requests that are not the same', different);
  }
  if (!isWhole(concurrency, 1, 10_000)) throw wrong('concurrency', 'from 1 to 10000', concurrency);
  const title = `${same} same + ${requests - same} of ${different} different`;
  return { title, requests, same, different, concurrency, newKeys };
}

/**
 * The ids that a mix asks for, the same one spread evenly among the others.
 *
 * @param prefix - what the ids begin with
 */
export function* idsOf({ different, requests, same }: Mix, prefix = 'item'): Generator<string> {
  let others = 0;
  for (let at = 0; at < requests; at++) {
    const isSame = Math.floor(((at + 1) * same) / requests) > Math.floor((at * same) / requests);
    yield isSame ? `${prefix} 0` : `${prefix} ${(others++ % different) + 1}`;
  }
}

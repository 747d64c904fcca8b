import { idsOf, readMix } from './mixes.js';

function counts(given: object): { different: number; most: number; all: number } {
  const ids = [...idsOf(readMix(given))];
  const byId = new Map<string, number>();
  for (const id of ids) byId.set(id, (byId.get(id) ?? 0) + 1);
  return { different: byId.size, most: Math.max(...byId.values()), all: ids.length };
}

describe('a mix', () => {
  it.each([
    ['same', { different: 1, most: 100, all: 100 }],
    ['unique', { different: 100, most: 1, all: 100 }],
    ['half', { different: 51, most: 50, all: 100 }],
  ])('is the collection %s', (collection, expected) => {
    expect(counts({ collection })).toEqual(expected);
  });

  it('is one of your own: so many of one key, the rest of others in turns', () => {
    const mix = { requests: 1000, same: 250, different: 30, concurrency: 10 };
    expect(counts(mix)).toEqual({ different: 31, most: 250, all: 1000 });
  });

  it('spreads the same key among the others', () => {
    const mix = readMix({ requests: 8, same: 4, different: 2, concurrency: 1 });
    const same = [...idsOf(mix, 'k')].map((id) => id === 'k 0');
    expect(same).toEqual([false, true, false, true, false, true, false, true]);
  });

  it.each([
    ['collection must be one of same, unique, half', { collection: 'toString' }],
    ['requests must be', { requests: 0 }],
    ['requests must be', { requests: 1e9 }],
    ['same must be', { requests: 10, same: 11, different: 1, concurrency: 1 }],
    ['different must be', { requests: 10, same: 5, different: 0, concurrency: 1 }],
    ['concurrency must be', { requests: 10, same: 5, different: 1, concurrency: 0 }],
    ['mix must be an object', 'all'],
  ])('says what is wrong: %s', (message, given) => {
    expect(() => readMix(given)).toThrow(message);
  });
});

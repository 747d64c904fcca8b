import fc from 'fast-check';
import type { KeyId } from './cache-key.js';
import { AsyncCache } from './index.js';
import { SlotIndex } from './slot-index.js';

const id = fc.oneof(
  fc.nat(200).map((number) => `k${number}`),
  fc.nat(60),
  fc.constantFrom<KeyId>(
    -0,
    0,
    NaN,
    Infinity,
    1n,
    '1',
    true,
    'true',
    null,
    undefined,
    Symbol.iterator,
  ),
);
const step = fc.record({
  what: fc.constantFrom('set', 'set', 'set', 'delete', 'delete', 'clear'),
  id,
  slot: fc.nat(),
});

const sorted = (slots: Iterable<number>): number[] => [...slots].sort((a, b) => a - b);

describe('a split index', () => {
  it('answers as one Map would, before, while and after keys move', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
        const [index, map] = [new SlotIndex(16), new Map<KeyId, number>()];
        for (const [at, { what, id, slot }] of steps.entries()) {
          if (what === 'set') {
            index.set(id, slot);
            map.set(id, slot);
          } else if (what === 'delete') {
            index.delete(id);
            map.delete(id);
          } else if (at % 50 === 0) {
            index.clear();
            map.clear();
          }
          expect(index.size).toBe(map.size);
          expect(index.get(id)).toBe(map.get(id));
        }
        for (const [id, slot] of map) expect(index.get(id)).toBe(slot);
        expect(sorted(index.values())).toEqual(sorted(map.values()));
      }),
    );
  });

  it('has moved every key once a few more have come', () => {
    const index = new SlotIndex(1000);
    for (let key = 0; key < 1300; key++) index.set(key, key);
    expect([index.first.size, index.size]).toEqual([0, 1300]);
  });

  it('is one Map again when it was emptied', () => {
    const index = new SlotIndex(10);
    for (let key = 0; key < 20; key++) index.set(key, key);
    for (let key = 0; key < 20; key++) index.delete(key);
    index.set('a', 1);
    expect([index.first.size, index.size, index.get('a')]).toEqual([1, 1, 1]);
  });
});

it('a cache of more than a million entries finds, replaces, evicts and removes all of them', async () => {
  const [size, more] = [2 ** 20 + 300_000, 1000];
  const cache = new AsyncCache<number, number>({ maxSize: size, ttl: '1h' });
  const errors: unknown[] = [];
  cache.on('error', ({ error }) => errors.push(error));
  for (let key = 0; key < size + more; key++) void cache.set(key, key);

  expect(cache.size).toBe(size);
  expect([0, more - 1, more, size, size + more - 1].map((key) => cache.peek(key))).toEqual([
    undefined,
    undefined,
    more,
    size,
    size + more - 1,
  ]);
  expect(await cache.get(more + 1, () => -1)).toBe(more + 1);
  await cache.set(more + 2, -2);
  await cache.delete(more + 3);
  expect([more + 2, more + 3].map((key) => cache.peek(key))).toEqual([-2, undefined]);
  expect(cache.size).toBe(size - 1);
  await cache.clear();
  expect([cache.size, cache.peek(size)]).toEqual([0, undefined]);
  expect(errors).toEqual([]);
});

import { AsyncCache, makeKey } from '@acache/core';
import { fakeClock } from '@acache/core/testing';

/**
 * What the built core promises, tried on whatever runs this: a server or a browser.
 * @type {Record<string, () => Promise<void>>}
 */
const promises = {
  'loads a key once for all who wait for it': async () => {
    const cache = new AsyncCache();
    let loads = 0;
    const load = async () => ++loads;
    const values = await Promise.all(Array.from({ length: 100 }, () => cache.get('key', load)));
    same(new Set(values).size, 1);
    same(loads, 1);
    await cache.close();
  },

  'serves a value until its ttl has passed': async () => {
    const clock = fakeClock();
    const cache = new AsyncCache({ ttl: '1s', clock });
    await cache.set('key', 'value');
    same(cache.peek('key'), 'value');
    await clock.advance(1001);
    same(cache.peek('key'), undefined);
    await cache.close();
  },

  'forgets what has a tag': async () => {
    const cache = new AsyncCache();
    await cache.set('one', 1, { tags: ['odd'] });
    await cache.set('two', 2, { tags: ['even'] });
    await cache.invalidateTags('odd');
    same(cache.has('one'), false);
    same(cache.has('two'), true);
    await cache.close();
  },

  'gives the loader a signal that fires when the last caller has left': async () => {
    const cache = new AsyncCache();
    const caller = new AbortController();
    const reached = new Promise((resolve) => {
      const loader = (_, { signal }) =>
        new Promise(() => signal.addEventListener('abort', () => resolve('aborted')));
      cache.get('key', { loader, signal: caller.signal }).catch(() => undefined);
    });
    await Promise.resolve();
    caller.abort();
    same(await reached, 'aborted');
    await cache.close();
  },

  'makes the same key of equal arguments and different keys of different ones': async () => {
    same(makeKey('user', [{ id: 1, name: 'Ada' }]), makeKey('user', [{ name: 'Ada', id: 1 }]));
    same(makeKey('user', [1]) === makeKey('user', ['1']), false);
    same(makeKey('user', [new Map([[1, 2]])]) === makeKey('user', [{ 1: 2 }]), false);
  },
};

/** Rejects with the first promise that is broken. */
export async function smoke() {
  for (const [what, keep] of Object.entries(promises)) {
    try {
      await keep();
    } catch (error) {
      throw new Error(`core no longer ${what}: ${error}`, { cause: error });
    }
  }
  return `${Object.keys(promises).length} promises kept`;
}

function same(actual, expected) {
  if (!Object.is(actual, expected)) throw new Error(`expected ${expected}, got ${actual}`);
}

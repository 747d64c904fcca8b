import { AsyncCache, InvalidOptionError } from '@acache/core';
import { fakeClock } from '@acache/core/testing';
import { Failures } from './failures.js';

describe('what another process refreshes', () => {
  it('is not asked for again at every hit', () => {
    const failures = new Failures(100);
    failures.hold('k', 1000);
    expect(failures.mayRefresh('k', 1001)).toBe(false);
    expect(failures.mayRefresh('k', 1200)).toBe(true);
  });

  it('is not asked for again either where a refresh of our own has failed before', () => {
    const failures = new Failures(100);
    failures.note('k', new Error('down'), 0, 0, true, []);
    const pauseIsOver = 5000;
    failures.hold('k', pauseIsOver);
    expect(failures.mayRefresh('k', pauseIsOver + 1)).toBe(false);
  });

  it('does not shorten the pause of a refresh that has failed', () => {
    const failures = new Failures(100, () => 1);
    failures.note('k', new Error('down'), 0, 0, true, []);
    failures.hold('k', 10);
    expect(failures.mayRefresh('k', 999)).toBe(false);
  });
});

describe('a failure that is remembered', () => {
  it('is forgotten with a tag that its load was known to carry, and with no other', () => {
    const failures = new Failures(100);
    const error = new Error('not found');
    failures.note('k', error, 0, 1000, false, ['user:1']);
    failures.forgetTagged(['user:2']);
    expect(failures.remembered('k', 1)).toMatchObject({ error });
    failures.forgetTagged(['user:2', 'user:1']);
    expect(failures.remembered('k', 1)).toBeUndefined();
  });
});

describe('errorTtl of one get', () => {
  const down = () => Promise.reject(new Error('down'));

  it.each([
    { what: 'remembers where the cache does not', cache: 0, get: 1000, remembered: true },
    { what: 'remembers nothing where the cache does', cache: 1000, get: 0, remembered: false },
    { what: 'may depend on the error', cache: 0, get: () => 1000, remembered: true },
  ])('$what', async ({ cache: errorTtl, get, remembered }) => {
    const cache = new AsyncCache<string, string>({ errorTtl, clock: fakeClock() });
    const options = { loader: down, errorTtl: get };
    await expect(cache.get('k', options)).rejects.toThrow('down');
    const again = cache.get('k', { ...options, loader: () => 'up' });
    if (remembered) await expect(again).rejects.toThrow('down');
    else expect(await again).toBe('up');
  });

  it('is checked', async () => {
    const cache = new AsyncCache<string, string>();
    await expect(cache.get('k', { loader: down, errorTtl: -1 })).rejects.toThrow(
      InvalidOptionError,
    );
  });
});

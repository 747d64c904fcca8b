import { filePersistence } from './file-persistence.js';
import { resolveOptions } from './options.js';

describe('filePersistence', () => {
  it.each([
    [{ flushInterval: -1 }, /flushInterval must be a duration/],
    [{ flushInterval: '5 minutes' as '5m' }, /flushInterval .* got '5 minutes'/],
    [{ flushInterval: Infinity }, /flushInterval must be at most/],
    [{ fsyncInterval: NaN }, /fsyncInterval must be a duration/],
    [{ maxBytes: 0 }, /maxBytes must be a whole number of 16384 or more, got 0/],
    [{ maxBytes: 1e5 + 0.5 }, /maxBytes/],
    [{ onError: 'log' as never }, /onError must be a function, got 'log'/],
    [{ serializer: {} as never }, /serializer must have serialize and deserialize/],
    [null as never, /options must be an object, got null/],
  ])('refuses %p', (options, message) => {
    expect(() => filePersistence('cache.acache', options)).toThrow(message);
  });

  it.each(['', 'a\0b', undefined, 5])('refuses the path %p', (path) => {
    expect(() => filePersistence(path as string)).toThrow(/path must be the name of a file/);
  });

  it('has defaults, and takes durations with their unit', () => {
    expect(resolveOptions()).toMatchObject({ flushInterval: 200, fsyncInterval: 1000 });
    expect(resolveOptions({ fsyncInterval: false }).fsyncInterval).toBe(false);
    expect(resolveOptions({ flushInterval: '2s', fsyncInterval: 0 })).toMatchObject({
      flushInterval: 2000,
      fsyncInterval: 0,
      maxBytes: Infinity,
    });
  });
});

import { InvalidOptionError } from '@acache/core';
import { DEFAULT_SETTINGS, readBackend, readSettings } from './settings.js';

describe('readSettings', () => {
  it('takes what a page sends, and the defaults for the rest', () => {
    expect(readSettings({})).toEqual(DEFAULT_SETTINGS);
    const given = { kind: 'batch', maxSize: null, ttl: null, window: '20ms', maxBatchSize: 7 };
    expect(readSettings(given)).toEqual({ ...DEFAULT_SETTINGS, ...given });
  });

  it.each([
    ['settings must be an object', null],
    ['settings must be an object', []],
    ['kind must be one of AsyncTTL, AsyncLRU, AsyncCache, batch', { kind: 'constructor' }],
    ['policy must be lru or tinylfu', { policy: 'fifo' }],
    ['maxSize must be a whole number', { maxSize: 1.5 }],
    ['maxSize must be a whole number', { maxSize: 2e6 }],
    ['skipArgs must be 0 or 1, got 2', { skipArgs: 2 }],
    ['maxBatchSize must be', { maxBatchSize: 0 }],
    ["'5 minutes'", { ttl: '5 minutes' }],
    ['staleIfError', { staleIfError: -1 }],
    ['window must be at most 5000 ms', { window: '1m' }],
  ])('says what is wrong: %s', (message, given) => {
    expect(() => readSettings(given)).toThrow(InvalidOptionError);
    expect(() => readSettings(given)).toThrow(message);
  });
});

describe('readBackend', () => {
  it.each([
    ['latency must be', { latency: -1 }],
    ['latency must be', { latency: 60_000 }],
    ['failures must be', { failures: 2 }],
    ['failures must be', { failures: 'all' }],
  ])('says what is wrong: %s', (message, given) => {
    expect(() => readBackend(given)).toThrow(message);
  });

  it('takes a database that is slow and fails', () => {
    expect(readBackend({ latency: 200, failures: 0.5 })).toEqual({ latency: 200, failures: 0.5 });
  });
});

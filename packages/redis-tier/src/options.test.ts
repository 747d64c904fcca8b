import { InvalidOptionError } from '@acache/core';
import { redisTier, type RedisTierOptions } from './index.js';
import { resolveOptions } from './options.js';

const URL = 'redis://localhost:6379';

/** A client that can be copied, as ours can, and does not speak as they do. */
class ClientOfAnother {
  readonly options = {};
  duplicate = (): unknown => this;
}

describe('the options of redisTier', () => {
  it('have defaults', () => {
    expect(resolveOptions()).toMatchObject({
      prefix: 'acache',
      coherence: 'auto',
      staleness: 2000,
      commandTimeout: 100,
      lockTtl: 5000,
      compressAbove: 1024,
      maxTtl: 30 * 86_400_000,
      failures: 3,
      openFor: 1000,
    });
  });

  const bad: [keyof RedisTierOptions, unknown, RegExp][] = [
    ['prefix', '', /prefix must be a text, got ''/],
    ['prefix', 5, /prefix must be a text, got 5/],
    ['prefix', 'a{b', /prefix may hold braces as a hash tag such as '\{app\}' only, got 'a\{b'/],
    ['prefix', 'a{}', /prefix may hold braces/],
    ['prefix', '\ud800', /prefix must be a text/],
    ['coherence', 'some', /coherence must be 'auto', 'tracking', 'pubsub' or 'none', got 'some'/],
    ['staleness', -1, /staleness must be a duration such as 5000 or '5s', got -1/],
    ['staleness', Infinity, /staleness must be between 0 ms and 2147483647 ms, got Infinity/],
    ['commandTimeout', 0, /commandTimeout must be between 1 ms/],
    ['commandTimeout', '5 minutes', /commandTimeout must be a duration/],
    ['lockTtl', 1, /lockTtl must be between 10 ms/],
    ['lockTtl', null, /lockTtl must be a duration/],
    ['compressAbove', -1, /compressAbove must be a number of bytes or false, got -1/],
    ['compressAbove', true, /compressAbove must be a number of bytes or false, got true/],
    ['maxTtl', 0, /maxTtl must be a finite duration above 0, got 0/],
    ['maxTtl', Infinity, /maxTtl must be a finite duration above 0/],
    ['serializer', {}, /serializer must have serialize and deserialize/],
    ['breaker', 3, /breaker must be an object, got 3/],
    ['breaker', { failures: 0 }, /breaker.failures must be a whole number above 0, got 0/],
    ['breaker', { openFor: -1 }, /breaker.openFor must be a duration/],
  ];
  it.each(bad)('refuse %s: %p at once', (name, value, message) => {
    const options = { [name]: value } as RedisTierOptions;
    expect(() => redisTier(URL, options)).toThrow(message);
    expect(() => redisTier(URL, options)).toThrow(InvalidOptionError);
  });

  it('allow a hash tag in the prefix', () => {
    expect(redisTier(URL, { prefix: '{app}' }).prefix).toBe('{app}');
  });

  it.each([
    [undefined, /redis must be a URL, options of ioredis or a client of ioredis, got undefined/],
    [42, /got 42/],
    ['', /redis must be a URL such as 'redis:\/\/localhost:6379', got ''/],
    ['http://user:secret@host', /got a URL of http:/],
    ['redis://user:sec ret@host:port', /got a URL of redis:/],
    [new Map(), /redis must be a URL, options of ioredis or a client/],
    [new ClientOfAnother(), /client of ioredis, got/],
  ])('refuse to connect to %p, and print no password', (redis, message) => {
    const make = (): unknown => redisTier(redis as string);
    expect(make).toThrow(message);
    expect(make).not.toThrow(/sec/);
  });
});

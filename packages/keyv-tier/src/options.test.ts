import { keyvTier, type KeyvTierOptions } from './index.js';

const messageOf = (options: unknown, keyv: unknown = new Map()): string => {
  try {
    keyvTier(keyv as Map<string, string>, options as KeyvTierOptions);
  } catch (error) {
    return (error as Error).message;
  }
  return 'none';
};

describe('the options of keyvTier', () => {
  it.each([
    [{ prefix: '' }, "prefix must be 1 to 48 letters, digits or signs of ASCII, got ''"],
    [{ prefix: 'a b' }, 'prefix must be'],
    [{ prefix: 'x'.repeat(49) }, 'prefix must be'],
    [{ staleness: -1 }, 'staleness must be a duration'],
    [{ commandTimeout: 0 }, 'commandTimeout must be between 1 ms and'],
    [{ maxTtl: 0 }, 'maxTtl must be between 1 ms and'],
    [{ serializer: {} }, 'serializer must have serialize and deserialize'],
    [{ breaker: { failures: 0 } }, 'breaker.failures must be a whole number above 0, got 0'],
    [{ breaker: { openFor: '1 s' } }, 'breaker.openFor must be a duration'],
    [{ breaker: 3 }, 'breaker must be an object, got 3'],
    [7, 'options must be an object, got 7'],
  ])('say what they got: %j', (options, message) => {
    expect(messageOf(options)).toContain(message);
  });

  it.each([[undefined], [null], [7], ['sqlite://x'], [{}], [{ get: () => 1, set: () => 1 }]])(
    'refuse what is no store: %p',
    (keyv) => {
      expect(() => keyvTier(keyv as never)).toThrow('keyv must be a Keyv or one of its stores');
    },
  );

  it('refuse a cache without a name', () => {
    const tier = keyvTier(new Map());
    expect(() => tier.attach('', {} as never)).toThrow("must not be ''");
  });
});

import fc from 'fast-check';
import {
  openEntry,
  openStamp,
  sealEntry,
  sealStamp,
  UnreadableError,
  type Sealed,
} from './envelope.js';

const text = fc.string({ unit: 'binary', maxLength: 20 });
const sealed: fc.Arbitrary<Sealed> = fc
  .record({
    tags: fc.uniqueArray(text, { maxLength: 4 }),
    freshUntil: fc.oneof(fc.nat(), fc.constant(Infinity)),
    staleIfError: fc.oneof(fc.nat(), fc.constant(Infinity)),
    payload: fc.base64String(),
    weight: fc.option(fc.nat(), { nil: undefined }),
  })
  .map(({ tags, freshUntil, staleIfError, payload, weight }) => ({
    entry: {
      createdAt: 5,
      freshUntil,
      staleWhileRevalidate: 0,
      staleIfError,
      tags,
      ...(weight === undefined ? {} : { weight }),
    },
    stamps: { all: 'all', tags: new Map(tags.map((tag, at) => [tag, `stamp ${at}`])) },
    payload,
  }));

describe('an envelope', () => {
  it('holds what was put into it, in ASCII', () => {
    fc.assert(
      fc.property(text, text, sealed, (name, key, given) => {
        const envelope = sealEntry(name, key, given);
        expect(envelope).toMatch(/^[ -~]*$/);
        expect(openEntry(name, key, envelope)).toEqual(given);
      }),
    );
  });

  it('is not read where anything in it was changed, cut off or added', () => {
    fc.assert(
      fc.property(sealed, fc.nat(), fc.constantFrom('', 'x', '0'), (given, at, put) => {
        const envelope = sealEntry('n', 'k', given);
        const place = at % envelope.length;
        const changed = envelope.slice(0, place) + put + envelope.slice(place + 1);
        fc.pre(changed !== envelope);
        expect(() => openEntry('n', 'k', changed)).toThrow(UnreadableError);
      }),
    );
  });

  it('is not read for another key, another cache, or as something else', () => {
    const given = fc.sample(sealed, 1)[0] as Sealed;
    const envelope = sealEntry('n', 'k', given);
    expect(() => openEntry('n', 'K', envelope)).toThrow('of another key');
    expect(() => openEntry('m', 'k', envelope)).toThrow('of another key');
    expect(() => openStamp('n', 'k', envelope)).toThrow('of another key');
    const stamp = sealStamp('n', '#t', 'stamp');
    expect(openStamp('n', '#t', stamp)).toBe('stamp');
    expect(() => openStamp('n', '#T', stamp)).toThrow('of another key');
    expect(() => openEntry('n', '#t', stamp)).toThrow('of another key');
  });

  it('is read as it was written by the first version', () => {
    const written =
      'acache1.VP-hfEZNDVBwzLgfpmoLkA.["v","n","k","a",[["t","s"]],1,2,0,null,null,"AAE="]';
    expect(openEntry('n', 'k', written)).toEqual({
      entry: {
        createdAt: 1,
        freshUntil: 2,
        staleWhileRevalidate: 0,
        staleIfError: Infinity,
        tags: ['t'],
      },
      stamps: { all: 'a', tags: new Map([['t', 's']]) },
      payload: 'AAE=',
    });
  });
});

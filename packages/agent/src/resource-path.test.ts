import fc from 'fast-check';
import { conflict, fillTemplate, parsePath, parseTemplate, pathText } from './resource-path.js';
import { mutationTags, readTags } from './resource-tags.js';

const fill = (text: string, ...args: unknown[]) => fillTemplate(parseTemplate(text), args);
const segment = fc.oneof(
  fc.constantFrom('a', 'b', 'a:b', '%', '%3A', 'a%3Ab', '{0}', '|', 'self|a'),
  fc.string({ minLength: 1, maxLength: 3, unit: 'binary' }),
);
const path = fc.array(segment, { maxLength: 4 });

describe('a path with placeholders', () => {
  it('is filled from the first argument, or by the number of one', () => {
    expect(fill('cart:{userId}', { userId: 'u1' })).toEqual({
      path: ['cart', 'u1'],
      widened: false,
    });
    expect(fill('cart:{1}:items', 'x', 7).path).toEqual(['cart', '7', 'items']);
    expect(fill('cart:user-{id}-{0}', { id: 5n }).path).toEqual(['cart']);
    expect(fill('cart:user-{id}', { id: 5n }).path).toEqual(['cart', 'user-5']);
    expect(fill('{0}', true).path).toEqual(['true']);
  });

  it.each([undefined, null, '', NaN, {}, [], () => 1, Symbol('x')])(
    'ends before a placeholder whose value is %p',
    (id) => {
      expect(fill('cart:{id}:items', { id })).toEqual({ path: ['cart'], widened: true });
      expect(fill('cart:{0}', id)).toEqual({ path: ['cart'], widened: true });
    },
  );

  it('ends there as well when the argument is missing, is no object, or fails', () => {
    expect(fill('cart:{id}').path).toEqual(['cart']);
    expect(fill('cart:{id}', 'u1').path).toEqual(['cart']);
    const hostile = {
      get id() {
        throw new Error('no');
      },
    };
    expect(fill('cart:{id}', hostile).path).toEqual(['cart']);
    expect(fill('{id}', {})).toEqual({ path: [], widened: true });
  });

  it('takes a number and the text of it for the same id', () => {
    expect(fill('cart:{id}', { id: 7 })).toEqual(fill('cart:{id}', { id: '7' }));
  });

  it.each(['', 'cart:{', 'cart:}', 'cart:{}', 'cart:{a{b}}', 'cart:{a:b}', 'a::b', ':a', 'a:', 7])(
    'is refused when it is %p',
    (text) => {
      expect(() => parseTemplate(text)).toThrow(/resource must be a path such as 'cart:/);
    },
  );

  it('keeps the parts of an id together', () => {
    expect(fill('doc:{0}', 'a:b').path).toEqual(['doc', 'a:b']);
    expect(pathText(fill('doc:{0}', 'a:b').path)).toBe('doc:a%3Ab');
  });
});

describe('the text of a path', () => {
  it('says the path, whatever is in it', () => {
    fc.assert(
      fc.property(path, (segments) => {
        expect(parsePath(pathText(segments))).toEqual(segments.length === 0 ? [] : segments);
      }),
    );
  });

  it('may be made with encodeURIComponent', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (id) => {
        expect(parsePath(`cart:${encodeURIComponent(id)}`)).toEqual(fill('cart:{0}', id).path);
      }),
    );
  });

  it('ends at an empty segment', () => {
    expect(parsePath('')).toEqual([]);
    expect(parsePath('cart:')).toEqual(['cart']);
    expect(parsePath('cart::items')).toEqual(['cart']);
    expect(parsePath('100%')).toEqual(['100%']);
  });
});

describe('the tags of paths', () => {
  const meet = (read: string[], change: string[]) => read.some((tag) => change.includes(tag));
  const isPrefix = (one: readonly string[], other: readonly string[]) =>
    one.every((part, at) => other[at] === part);

  it('meet exactly when one path is a prefix of the other', () => {
    fc.assert(
      fc.property(path, path, (read, change) => {
        const expected = isPrefix(read, change) || isPrefix(change, read);
        expect(meet(readTags([read], undefined), mutationTags([change], undefined))).toBe(expected);
        expect(conflict(read, change)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  const owner = (partition: string, family = partition) => ({ partition, family });

  it('meet exactly when one path of each does', () => {
    const paths = fc.array(path, { maxLength: 3 });
    fc.assert(
      fc.property(paths, paths, (reads, changes) => {
        const expected = reads.some((read) => changes.some((change) => conflict(read, change)));
        const [read, change] = [readTags(reads, owner('p')), mutationTags(changes, owner('p'))];
        expect(meet(read, change)).toBe(expected);
      }),
    );
  });

  it.each([
    // the answer of           a change in          meets
    [undefined, undefined, true],
    [undefined, owner('p'), true],
    [undefined, 'everybody', true],
    [owner('p'), undefined, false],
    [owner('p'), owner('p'), true],
    [owner('p'), owner('q'), false],
    [owner('p'), 'everybody', true],
    // Isolated children, and their root
    [owner('p', 'r'), owner('q', 'r'), true],
    [owner('p', 'r'), owner('r'), true],
    [owner('r'), owner('p', 'r'), true],
    [owner('p', 'r'), owner('q'), false],
    // The same session, elsewhere without its parent
    [owner('p', 'r'), owner('p'), true],
    [owner('p'), owner('p', 'r'), true],
  ] as const)('for %j and a change of %j meet: %p', (whose, reach, expected) => {
    expect(meet(readTags([['x']], whose), mutationTags([['x']], reach))).toBe(expected);
    expect(meet(readTags([], whose, ['t']), mutationTags([], reach, ['t']))).toBe(expected);
  });

  it('are few: two for each level of a path, and one', () => {
    expect(mutationTags([['a', 'b', 'c']], undefined)).toHaveLength(4);
    expect(readTags([['a', 'b', 'c']], undefined)).toHaveLength(5);
  });
});

import { PassThrough, Writable } from 'node:stream';
import { AsyncCache, InvalidOptionError, type TraceSink } from '@acache/core';
import { fakeClock } from '@acache/core/testing';
import { nextTurn } from '../test/deferred.js';
import { failOnUnhandledRejections } from '../test/outcome.js';

failOnUnhandledRejections();

/** A sink that keeps what it is given, and takes no more than it is told to. */
function sink(takes = Infinity) {
  const listeners = new Map<string, (error?: unknown) => void>();
  const given: string[] = [];
  const writer: TraceSink = {
    write: (text) => given.push(text) < takes,
    on: (event, listener) => listeners.set(event, listener),
    off: (event, listener) => listeners.get(event) === listener && listeners.delete(event),
  };
  return { writer, given, listeners, lines: () => given.join('').split('\n').slice(0, -1) };
}

function setUp() {
  const clock = fakeClock();
  const cache = new AsyncCache<unknown, number>({ clock, maxSize: 100 });
  const errors: unknown[] = [];
  cache.on('error', ({ error }) => errors.push(error));
  return { cache, clock, errors };
}

describe('recordTrace', () => {
  it('writes each key that is asked for, whether it is there or not', async () => {
    const { cache } = setUp();
    const { lines, writer } = sink();
    await cache.get('before', () => 1);
    const recording = cache.recordTrace(writer);
    await cache.get('a', () => 1);
    await cache.get('a', () => 1);
    await cache.get('b');
    await cache.getMany(['a', 'c'], { loadMany: (keys) => keys.map(() => 1) });
    await Promise.all([cache.get('d', () => 1), cache.get('d', () => 1)]);
    cache.peek('a');
    await cache.set('e', 1);
    await cache.warmup([['f', () => 1]]);
    recording.stop();
    await cache.get('after', () => 1);

    expect(lines()).toEqual(['a', 'a', 'b', 'a', 'c', 'd', 'd']);
    expect(recording).toMatchObject({ recorded: 7, skipped: 0 });
  });

  it('keeps keys apart, each in one line', async () => {
    const { cache } = setUp();
    const { lines, writer } = sink();
    const recording = cache.recordTrace(writer);
    const keys = [
      ...[1, '1', '"1"', 1n, true, 'true', null, 'null', undefined, 'undefined', NaN, [1]],
      ...[
        { a: 1 },
        '{"a":1}',
        'two\nlines',
        'two',
        'lines',
        'two\\nlines',
        'a',
        'a ',
        'a\r',
        'a\r\n',
      ],
      ...['"', '', ' ', '\n', '\\n', '\0', '\u2028', '\ufeff', '\ufeffa', 'ü'],
      ...[
        'n1;',
        '#n1;',
        'Symbol(a)',
        Symbol('a'),
        '#Symbol(a)',
        '\ud800',
        '\ud801',
        '\ufffd',
        '😀',
      ],
      ...['x'.repeat(70_000), 'y'.repeat(70_000), { of: 'x'.repeat(70_000) }],
    ];
    for (const key of keys) await cache.get(key, () => 1);
    recording.stop();

    expect(lines()).toHaveLength(keys.length);
    expect(new Set(lines()).size).toBe(keys.length);
    // As a file has them.
    expect(new Set(lines().map((line) => Buffer.from(line).toString())).size).toBe(keys.length);
    expect(Math.max(...lines().map(({ length }) => length))).toBeLessThan(1100);
    expect(lines()).toContain('1');
    expect(lines()).toContain('ü');
    // For whoever reads it, a carriage return and a byte order mark are no part of a line.
    for (const line of lines()) expect(line).toMatch(/^[^\ufeff\r].*[^\r]$|^[^\ufeff\r]$/);
  });

  it('writes hashes on request, which tell nothing but what is the same', async () => {
    const { cache } = setUp();
    const [one, other] = [sink(), sink()];
    const recordings = [one, other].map(({ writer }) => cache.recordTrace(writer, { hash: true }));
    for (const key of ['secret', 'other', 'secret', 7]) await cache.get(key, () => 1);
    for (const recording of recordings) recording.stop();

    const [a, b, c, d] = one.lines();
    expect(a).toMatch(/^[0-9a-f]{16}$/);
    expect(c).toBe(a);
    expect(new Set([a, b, d]).size).toBe(3);
    expect(other.lines()[0]).not.toBe(a);
  });

  it('writes a little at a time, and soon', async () => {
    const { cache, clock } = setUp();
    const { given, writer } = sink();
    const recording = cache.recordTrace(writer);
    await cache.get('a', () => 1);
    await clock.advance(999);
    expect(given).toEqual([]);
    await clock.advance(1);
    expect(given).toEqual(['a\n']);
    const long = 'x'.repeat(600);
    for (let at = 0; at < 30; at++) await cache.get(`${long}${at}`, () => 1);
    expect(given).toHaveLength(2);
    recording.stop();
    expect(clock.pending).toBe(0);
  });

  it('leaves out what a slow sink cannot take, and goes on when it can', async () => {
    const { cache, clock } = setUp();
    const { lines, listeners, writer } = sink(1);
    const recording = cache.recordTrace(writer);
    await cache.get('a', () => 1);
    await clock.advance(1000);
    await cache.get('b', () => 1);
    await cache.get('c', () => 1);
    listeners.get('drain')?.();
    await cache.get('d', () => 1);
    recording.stop();

    expect(lines()).toEqual(['a', 'd']);
    expect(recording).toMatchObject({ recorded: 2, skipped: 2 });
    expect(listeners.size).toBe(0);
  });

  it.each([
    {
      how: 'throws',
      fail: (writer: TraceSink) => {
        writer.write = () => {
          throw new Error('the disk is full');
        };
      },
    },
    {
      how: 'says so later',
      fail: (_: TraceSink, listeners: Map<string, (error?: unknown) => void>) => {
        listeners.get('error')?.(new Error('the disk is full'));
      },
    },
    {
      how: 'rejects',
      fail: (writer: TraceSink) => {
        writer.write = () => Promise.reject(new Error('the disk is full'));
      },
    },
  ])('counts only, behind a sink that $how, and hurts nobody', async ({ fail }) => {
    const { cache, clock, errors } = setUp();
    const { lines, listeners, writer } = sink();
    const recording = cache.recordTrace(writer);
    await cache.get('a', () => 1);
    await clock.advance(1000);
    await cache.get('b', () => 1);
    fail(writer, listeners);
    await clock.advance(1000);
    expect(await cache.get('c', () => 2)).toBe(2);
    listeners.get('drain')?.();
    expect(await cache.get('d', () => 2)).toBe(2);
    expect(recording).toMatchObject({ recorded: 1, skipped: 3 });
    expect(recording.error).toEqual(new Error('the disk is full'));
    expect(errors).toEqual([new Error('the disk is full')]);
    recording.stop();
    recording.stop();
    await cache.get('e', () => 2);
    expect(recording).toMatchObject({ recorded: 1, skipped: 3 });
    expect(lines()).toEqual(['a']);
    expect(listeners.size).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('says that all is well while it is', async () => {
    const { cache } = setUp();
    const recording = cache.recordTrace(sink().writer);
    await cache.get('a', () => 1);
    recording.stop();
    expect(recording).toMatchObject({ recorded: 1, skipped: 0, error: undefined });
  });

  describe('to a stream', () => {
    /** A stream that takes a piece when it is told to, and fails the ones from some piece on. */
    function disk({ takes = Infinity }: { takes?: number } = {}) {
      const pieces: string[] = [];
      const waiting: (() => void)[] = [];
      const stream = new Writable({
        highWaterMark: 1e6,
        write: (piece, _encoding, done) => {
          waiting.push(() => {
            if (pieces.length >= takes) return done(new Error('the disk is full'));
            pieces.push(String(piece));
            done();
          });
        },
      });
      const proceed = async () => {
        waiting.shift()?.();
        await nextTurn();
      };
      return { stream, pieces, proceed };
    }

    it('counts what it had been given and could not take', async () => {
      const { cache, clock, errors } = setUp();
      const { pieces, proceed, stream } = disk({ takes: 1 });
      const recording = cache.recordTrace(stream);
      for (const key of ['a', 'b', 'c']) {
        await cache.get(key, () => 1);
        await clock.advance(1000);
      }
      await cache.get('d', () => 1);
      expect(recording).toMatchObject({ recorded: 4, skipped: 0 });
      await proceed();
      await proceed();
      expect(pieces).toEqual(['a\n']);
      expect(recording).toMatchObject({ recorded: 1, skipped: 3 });
      expect(errors).toEqual([new Error('the disk is full')]);
    });

    it.each(['before', 'when it is told'])(
      'ends no process when the last piece fails, if it was stopped %s',
      async (when) => {
        const { cache, clock, errors } = setUp();
        const { proceed, stream } = disk({ takes: 0 });
        const recording = cache.recordTrace(stream);
        cache.on('error', () => recording.stop());
        await cache.get('x', () => 1);
        await clock.advance(1000);
        if (when === 'before') recording.stop();
        await proceed();
        expect(errors).toEqual([new Error('the disk is full')]);
        expect(recording).toMatchObject({ recorded: 0, skipped: 1 });
        expect(stream.listenerCount('error')).toBe(0);
      },
    );

    it('leaves no listener when all is taken', async () => {
      const { cache } = setUp();
      const { pieces, proceed, stream } = disk();
      const recording = cache.recordTrace(stream);
      await cache.get('a', () => 1);
      recording.stop();
      expect(stream.listenerCount('error')).toBe(1);
      await proceed();
      expect(pieces).toEqual(['a\n']);
      expect(stream.listenerCount('error') + stream.listenerCount('drain')).toBe(0);
    });
  });

  it('writes the rest when the cache is closed', async () => {
    const { cache } = setUp();
    const stream = new PassThrough();
    cache.recordTrace(stream);
    await cache.get('a', () => 1);
    await cache.close();
    expect(String(stream.read())).toBe('a\n');
    expect(stream.listenerCount('drain')).toBe(0);
    expect(() => cache.recordTrace(stream)).toThrow('closed');
  });

  it.each([undefined, null, 'file', {}, { write: 1 }])('refuses %p as a stream', (given) => {
    const { cache } = setUp();
    expect(() => cache.recordTrace(given as unknown as TraceSink)).toThrow(InvalidOptionError);
  });

  it.each(['hash', 5, null])(
    'refuses %p as options, so that no key is written plainly',
    (given) => {
      const cache = new AsyncCache();
      const options = given as unknown as { hash: boolean };
      expect(() => cache.recordTrace(sink().writer, options)).toThrow(
        'the options of recordTrace must be an object, got',
      );
    },
  );

  it('refuses a hash that is no boolean', () => {
    const { cache } = setUp();
    const options = { hash: 'yes' as unknown as boolean };
    expect(() => cache.recordTrace(sink().writer, options)).toThrow('hash must be true or false');
  });
});

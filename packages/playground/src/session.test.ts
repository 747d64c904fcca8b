import { fakeClock } from '@acache/core/testing';
import type { Burst } from './burst.js';
import type { Message } from './messages.js';
import { readMix } from './mixes.js';
import { BusyError, Session, type SessionOptions } from './session.js';
import { DEFAULT_SETTINGS, KINDS, type Settings } from './settings.js';

/** A session whose database answers soon, and what it tells. */
async function sessionWith(change: Partial<Settings> = {}, options: SessionOptions = {}) {
  const session = new Session(options);
  session.behave({ latency: 5, failures: 0 });
  await session.configure({ ...DEFAULT_SETTINGS, window: 0, ...change });
  const messages: Message[] = [];
  const off = session.watch((message) => messages.push(message));
  const last = <T extends Message['type']>(type: T) =>
    messages.findLast((message) => message.type === type) as Extract<Message, { type: T }>;
  const burst = (): Burst => last('burst').burst;
  return { session, messages, last, burst, off };
}

describe.each(KINDS.map((kind) => ({ kind })))('a session that drives $kind', ({ kind }) => {
  it.each([
    ['same', { miss: 1, joined: 99 }, 1],
    ['unique', { miss: 100 }, 100],
    ['half', { miss: 51, joined: 49 }, 51],
  ])('tells who loaded and who joined: %s', async (collection, counts, misses) => {
    const { session, last, burst } = await sessionWith({ kind });
    await session.run(readMix({ collection }));
    expect(burst().counts).toEqual(counts);
    expect(burst().loads).toHaveLength(kind === 'batch' ? 1 : misses);
    await session.run(readMix({ collection }));
    expect(burst().counts).toEqual({ hit: 100 });
    expect(last('sample').sample.metrics).toMatchObject({ hits: 100, misses: 100 });
    await session.close();
  });
});

describe('a session', () => {
  it('tells how far a run is, and what the cache holds', async () => {
    const { session, messages, last } = await sessionWith();
    const told = await session.run(readMix({ collection: 'half' }));
    expect(told).toMatch(/^50 same \+ 50 different: /);
    const progress = messages.flatMap((message) =>
      message.type === 'progress' ? [message.progress] : [],
    );
    expect(progress[0]).toMatchObject({ done: 0, total: 100, running: true });
    expect(progress.at(-1)).toMatchObject({ done: 100, total: 100, running: false });
    expect(last('entries').page.total).toBe(51);
    expect(last('sample').sample.latency?.calls).toBe(100);
    await session.close();
  });

  it('stops a run that is cancelled', async () => {
    const { session, last } = await sessionWith();
    const mix = readMix({ requests: 100_000, same: 0, different: 100_000, concurrency: 1 });
    const running = session.run(mix);
    await expect(session.run(mix)).rejects.toThrow(BusyError);
    session.cancel();
    await running;
    expect(last('progress').progress.done).toBeLessThan(100);
    await session.close();
  });

  it('does to one key what it is told', async () => {
    const { session } = await sessionWith({ kind: 'AsyncCache' });
    expect(await session.get('item 1')).toContain('item 1, from load 1 (miss');
    expect(await session.get('item 1')).toContain('item 1, from load 1 (hit');
    expect(await session.refresh('item 1')).toContain('item 1, from load 2');
    await session.set('item 1', 'by hand');
    expect(await session.get('item 1')).toContain('by hand (hit');
    expect(await session.expire('item 1')).toContain('it is stale now');
    expect(await session.deleteItem('item 1')).toContain('it was not there');
    await session.get('item 1');
    await session.get('item 2');
    expect(await session.invalidateTags('odd')).toBe('invalidate odd: 1 are gone');
    expect(await session.delete('item 2')).toContain('it is gone');
    session.behave({ latency: 0, failures: 1 });
    expect(await session.get('item 3')).toContain('the database is down');
    await session.close();
  });

  it('warms up, and then has it', async () => {
    const { session, burst } = await sessionWith();
    expect(await session.warmup(101, 50)).toContain('101 loaded, 0 were there, 0 failed');
    expect(await session.warmup(102, 50)).toContain('1 loaded, 101 were there');
    await session.run(readMix({ collection: 'unique' }));
    expect(burst().counts).toEqual({ hit: 100 });
    await session.close();
  });

  it('serves stale values while the database is down, as staleIfError allows', async () => {
    const clock = fakeClock();
    const { session, burst } = await sessionWith({ ttl: '1m', staleIfError: '1h' }, { clock });
    session.behave({ latency: 0, failures: 0 });
    await session.run(readMix({ collection: 'same' }));
    session.behave({ latency: 0, failures: 1 });
    await clock.advance(60_000);
    await session.run(readMix({ collection: 'same' }));
    expect(burst().counts).toEqual({ 'error-stale': 1, stale: 99 });
    expect(burst().calls.every(({ load }) => load === 1)).toBe(true);
    await session.close();
  });

  it('keeps the cache it has when the settings cannot be meant', async () => {
    const { session } = await sessionWith({ kind: 'AsyncCache' });
    await session.get('item 1');
    const wrong = { ...DEFAULT_SETTINGS, maxSize: -1 };
    await expect(session.configure(wrong)).rejects.toThrow('maxSize');
    expect(await session.get('item 1')).toContain('hit');
    await session.close();
  });

  it('asks the cache for nothing while nobody watches', async () => {
    const { session, messages, off } = await sessionWith();
    off();
    const before = messages.length;
    await session.run(readMix({ collection: 'same' }));
    expect(messages).toHaveLength(before);
    await session.close();
  });

  it('tells who comes later what was said before', async () => {
    const { session } = await sessionWith();
    await session.get('item 1');
    const messages: Message[] = [];
    session.watch((message) => messages.push(message))();
    expect(messages.map(({ type }) => type)).toEqual(['state', 'sample', 'entries', 'log', 'log']);
    await session.close();
  });
});

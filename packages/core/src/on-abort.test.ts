import { getEventListeners } from 'node:events';
import { AsyncCache } from './async-cache.js';
import { onAbort } from './on-abort.js';

describe('onAbort', () => {
  it('sets one listener on a signal, however many wait on it', () => {
    const controller = new AbortController();
    const told: number[] = [];
    const ends = [1, 2, 3].map((number) => onAbort(controller.signal, () => told.push(number)));
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    ends[1]?.();
    controller.abort();
    expect(told).toEqual([1, 3]);
  });

  it('takes the listener away with the last who waits, and sets it again for the next', () => {
    const { signal } = new AbortController();
    onAbort(signal, () => undefined)();
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    const end = onAbort(signal, () => undefined);
    end();
    end();
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('lets many gets of one request share its signal', async () => {
    const cache = new AsyncCache<number, number>({ maxSize: null });
    const controller = new AbortController();
    const gets = Array.from({ length: 50 }, (_, key) =>
      cache.get(key, { signal: controller.signal, loader: () => new Promise<number>(() => 0) }),
    );
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    controller.abort(new Error('gone'));
    for (const get of gets) await expect(get).rejects.toThrow('gone');
  });
});

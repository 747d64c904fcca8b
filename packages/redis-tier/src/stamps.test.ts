import { deferred, settle } from '../test/deferred.js';
import type { Commands } from './commands.js';
import { Stamps } from './stamps.js';

const NOT_TOLD = ['', ''] as const;

/** Redis as far as stamps go: reads may be held up. */
function fakeRedis() {
  const held = new Map<string, Buffer>();
  const prolonged: unknown[] = [];
  const state = { hears: true, gate: Promise.resolve() as Promise<unknown> };
  const commands = {
    read: async (keys: readonly string[]) => {
      // Read when it was sent; heard of when the gate opens.
      const values = keys.map((key) => held.get(key) ?? null);
      await state.gate;
      return values;
    },
    run: async (script: string, keys: readonly string[], args: readonly unknown[]) => {
      if (script === 'prolong') prolonged.push([keys, ...args]);
      keys.forEach((key, at) => {
        if (script === 'restamp' || !held.has(key)) held.set(key, args[at] as Buffer);
      });
      const values = keys.map((key) => held.get(key));
      await state.gate;
      return values;
    },
  } as unknown as Commands;
  return { held, state, prolonged, stamps: new Stamps(commands, 1000, () => state.hears) };
}

describe('Stamps', () => {
  it('makes what is missing, and keeps what it knows', async () => {
    const { held, stamps } = fakeRedis();
    const [first] = await stamps.of(['t']);
    expect(first).toHaveLength(8);
    held.clear();
    expect(await stamps.of(['t'])).toEqual([first]);
    expect(stamps.allKept(['t'])).toEqual([first]);
    expect(stamps.allKept(['t', 'u'])).toBeUndefined();
  });

  it('keeps nothing while it does not hear of changes', async () => {
    const { state, stamps } = fakeRedis();
    state.hears = false;
    await stamps.of(['t']);
    expect(stamps.kept('t')).toBeUndefined();
    state.hears = true;
    expect(stamps.kept('t')).toBeUndefined();
  });

  it('forgets, when it renews without hearing, what it knew before', async () => {
    const { state, stamps } = fakeRedis();
    await stamps.of(['t']);
    state.hears = false;
    await stamps.renew(['t'], NOT_TOLD);
    state.hears = true;
    expect(stamps.kept('t')).toBeUndefined();
  });

  it('puts new stamps that nobody had', async () => {
    const { held, stamps } = fakeRedis();
    const [before] = await stamps.of(['t']);
    await stamps.renew(['t'], NOT_TOLD);
    expect(held.get('t')).not.toEqual(before);
    expect(stamps.kept('t')).toEqual(held.get('t'));
  });

  it('knows the echo of a stamp that it made or renewed', async () => {
    const { stamps } = fakeRedis();
    await stamps.of(['t']);
    expect(await stamps.isForeign('t', true)).toBe(false);
    await stamps.renew(['t'], NOT_TOLD);
    expect(await stamps.isForeign('t', true)).toBe(false);
  });

  it('knows at once that a stamp which it only read was changed by others', async () => {
    const { held, stamps } = fakeRedis();
    held.set('t', Buffer.alloc(8, 1));
    await stamps.of(['t']);
    held.set('t', Buffer.alloc(8, 2));
    expect(stamps.isForeign('t', true)).toBe(true);
    expect(stamps.kept('t')).toBeUndefined();
  });

  it('takes a stamp that somebody made for no news, where it never knew one', async () => {
    const { stamps } = fakeRedis();
    expect(stamps.isForeign('t', false)).toBe(false);
    expect(stamps.isForeign('t', true)).toBe(true);
  });

  it('takes a stamp that got lost for foreign, where it knew it', async () => {
    const { held, stamps } = fakeRedis();
    held.set('t', Buffer.alloc(8, 1));
    await stamps.of(['t']);
    held.set('t', Buffer.alloc(8, 2));
    expect(await stamps.isForeign('t', false)).toBe(true);
  });

  it('takes the late news that a stamp was made for none, where it has read it', async () => {
    const { held, stamps } = fakeRedis();
    held.set('t', Buffer.alloc(8, 1));
    await stamps.of(['t']);
    expect(await stamps.isForeign('t', false)).toBe(false);
    expect(stamps.kept('t')).toEqual(Buffer.alloc(8, 1));
  });

  it('notices that others changed a stamp after its own change', async () => {
    const { held, stamps } = fakeRedis();
    await stamps.renew(['t'], NOT_TOLD);
    held.set('t', Buffer.alloc(8, 2));
    expect(await stamps.isForeign('t', true)).toBe(true);
    expect(stamps.kept('t')).toEqual(Buffer.alloc(8, 2));
  });

  it('goes no longer by what it made once others have changed it, however often', async () => {
    const { held, state, stamps } = fakeRedis();
    await stamps.of(['t']);
    const gate = deferred<undefined>();
    state.gate = gate.promise;
    held.set('t', Buffer.alloc(8, 2));
    const first = stamps.isForeign('t', true);
    await settle();
    // Heard of while the first news is looked at, which finds what the second tells of.
    held.set('t', Buffer.alloc(8, 3));
    const second = stamps.isForeign('t', true);
    gate.resolve(undefined);
    expect(await first).toBe(true);
    expect([undefined, Buffer.alloc(8, 3)]).toContainEqual(stamps.kept('t'));
    await second;
    expect(await stamps.of(['t'])).toEqual([Buffer.alloc(8, 3)]);
  });

  it('knows what memory goes by through a time in which news lag', async () => {
    const { held, state, stamps } = fakeRedis();
    await stamps.of(['t']);
    state.hears = false;
    held.set('t', Buffer.alloc(8, 2));
    expect(await stamps.of(['t'])).toEqual([Buffer.alloc(8, 2)]);
    // A read is under way when the news comes, and finds what it tells of.
    const gate = deferred<undefined>();
    state.gate = gate.promise;
    const read = stamps.of(['t']);
    await settle();
    state.hears = true;
    const isForeign = stamps.isForeign('t', true);
    gate.resolve(undefined);
    await read;
    expect(await isForeign).toBe(true);
    expect(await stamps.of(['t'])).toEqual([Buffer.alloc(8, 2)]);
  });

  it('keeps what it made through a time in which news lag', async () => {
    const { state, stamps } = fakeRedis();
    const made = await stamps.of(['t']);
    state.hears = false;
    expect(await stamps.isForeign('t', false)).toBe(false);
    state.hears = true;
    expect(stamps.allKept(['t'])).toEqual(made);
  });

  it('takes nothing for its own where it could not renew, and may have', async () => {
    const { held, state, stamps } = fakeRedis();
    const gate = deferred<undefined>();
    state.gate = gate.promise;
    const renewed = stamps.renew(['t'], NOT_TOLD);
    gate.reject(new Error('timed out'));
    await expect(renewed).rejects.toThrow('timed out');
    held.set('t', Buffer.alloc(8, 2));
    const again = deferred<undefined>();
    state.gate = again.promise;
    const read = stamps.of(['t']);
    const isForeign = stamps.isForeign('t', true);
    again.resolve(undefined);
    await read;
    expect(await isForeign).toBe(true);
  });

  it('does not bring back what it read before it renewed', async () => {
    const { held, state, stamps } = fakeRedis();
    await stamps.of(['t']);
    const gate = deferred<undefined>();
    state.gate = gate.promise;
    const echo = stamps.isForeign('t', true);
    const read = stamps.of(['t', 'u']);
    const renewed = stamps.renew(['t'], NOT_TOLD);
    gate.resolve(undefined);
    await Promise.all([echo, read, renewed]);
    expect(stamps.kept('t')).toEqual(held.get('t'));
  });

  it('does not keep what changed on its way', async () => {
    const { held, state, stamps } = fakeRedis();
    held.set('t', Buffer.alloc(8, 1));
    const gate = deferred<undefined>();
    state.gate = gate.promise;
    const read = stamps.of(['t']);
    await settle();
    held.set('t', Buffer.alloc(8, 2));
    void stamps.isForeign('t', true);
    gate.resolve(undefined);
    expect(await read).toEqual([Buffer.alloc(8, 1)]);
    await settle();
    expect(stamps.kept('t')).toEqual(Buffer.alloc(8, 2));
  });

  it('forgets all when it lost track, what is on its way too', async () => {
    const { held, state, stamps } = fakeRedis();
    held.set('t', Buffer.alloc(8, 1));
    const gate = deferred<undefined>();
    state.gate = gate.promise;
    const read = stamps.of(['t']);
    stamps.drop();
    gate.resolve(undefined);
    await read;
    expect(stamps.kept('t')).toBeUndefined();
  });

  it('lets stamps outlive what carries them, and asks once for that', async () => {
    const { prolonged, stamps } = fakeRedis();
    const day = 86_400_000;
    stamps.outlive(['t'], day);
    expect(prolonged).toEqual([]);
    stamps.outlive(['t', 'u'], 365 * day);
    stamps.outlive(['u'], 300 * day);
    expect(prolonged).toEqual([[['t', 'u'], 365 * day, 730 * day]]);
    stamps.outlive(['t', 'v'], 400 * day);
    expect(prolonged.slice(1)).toEqual([[['t', 'v'], 400 * day, 800 * day]]);
    await stamps.renew(['t'], NOT_TOLD);
    stamps.outlive(['t', 'u'], 10 * day);
    expect(prolonged.slice(2)).toEqual([[['t'], 10 * day, 60 * day]]);
  });
});

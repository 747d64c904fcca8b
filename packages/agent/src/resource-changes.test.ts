import fc from 'fast-check';
import { ResourceChanges } from './resource-changes.js';
import type { WatchedCall } from './watched-call.js';

const on = (effect: WatchedCall['effect'], ...resources: string[]): WatchedCall => ({
  tool: 'tool',
  token: undefined,
  effect,
  resources,
  exempt: false,
});

describe('ResourceChanges', () => {
  it.each([
    ['cart', 'cart', true],
    ['cart:7', 'cart', true],
    ['cart', 'cart:7', true],
    ['cart', 'cart:7:items', true],
    ['cart:7:items', 'cart', true],
    ['cart:7', 'cart:8', false],
    ['cart:7', 'cart:77', false],
    ['cart:7:items', 'cart:8:items', false],
    ['cart', 'product', false],
    ['', 'cart:7', true],
    ['cart:7', '', true],
    ['', '', true],
  ])('a change of %j concerns %j: %j', (changed, read, concerned) => {
    const changes = new ResourceChanges();
    changes.change(on('mutate', changed), 1, 5, true);
    expect(changes.lastChange(on('read', read), 2)).toBe(concerned ? 5 : 0);
    expect(changes.lastSuccess(on('read', read))).toBe(concerned ? 5 : 0);
  });

  it('concerns all resources of a call', () => {
    const changes = new ResourceChanges();
    changes.change(on('mutate', 'a:1', 'b:1'), 1, 5, true);
    expect(changes.lastChange(on('read', 'c', 'b'), 2)).toBe(5);
    expect(changes.lastChange(on('read', 'c', 'd'), 2)).toBe(0);
  });

  it('leaves out what a call changed itself', () => {
    const changes = new ResourceChanges();
    changes.change(on('mutate', 'a'), 1, 3, true);
    expect(changes.lastChange(on('mutate', 'a'), 1)).toBe(0);
    changes.change(on('mutate', 'a'), 2, 5, true);
    changes.change(on('mutate', 'a'), 1, 7, true);
    expect(changes.lastChange(on('mutate', 'a'), 1)).toBe(5);
    expect(changes.lastChange(on('mutate', 'a'), 2)).toBe(7);
    expect(changes.lastChange(on('mutate', 'a'), 3)).toBe(7);
  });

  it('takes a tool of unknown effect to touch what other such tools and mutations touch', () => {
    const changes = new ResourceChanges();
    changes.change(on('unknown'), 1, 3, true);
    expect(changes.lastChange(on('unknown'), 2)).toBe(3);
    expect(changes.lastChange(on('read', 'a'), 2)).toBe(0);
    changes.change(on('mutate', 'a'), 2, 5, true);
    expect(changes.lastChange(on('unknown'), 3)).toBe(5);
    expect(changes.lastChange(on('read'), 3)).toBe(0);
  });

  it('tells a failure from a success, and both from a mere touch', () => {
    const changes = new ResourceChanges();
    changes.touch(on('mutate', 'a'), 2);
    changes.change(on('mutate', 'a'), 1, 4, false);
    const read = on('read', 'a');
    expect([
      changes.lastTouch(read),
      changes.lastChange(read, 9),
      changes.lastSuccess(read),
    ]).toEqual([2, 4, 0]);
  });

  it('knows paths however long they are', () => {
    const changes = new ResourceChanges();
    const id = 'x'.repeat(10_000);
    changes.change(on('mutate', `a:${id}`), 1, 5, true);
    expect(changes.lastChange(on('read', 'a'), 2)).toBe(5);
    expect(changes.lastChange(on('read', `a:${id}:b`), 2)).toBe(5);
    expect(changes.lastChange(on('read', `a:${id}y`), 2)).toBe(0);
  });

  it('never misses a change, though it forgets paths', () => {
    const path = fc
      .array(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 })
      .map((parts) => parts.join(':'));
    const conflict = (one: string, other: string) =>
      one === '' ||
      other === '' ||
      `${one}:`.startsWith(`${other}:`) ||
      `${other}:`.startsWith(`${one}:`);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(path, fc.nat(3), fc.nat(300)), { maxLength: 60 }),
        (program) => {
          const changes = new ResourceChanges();
          const log: { path: string; by: number; at: number }[] = [];
          let now = 0;
          for (const [path, by, noise] of program) {
            // What it forgets for these may cost exactness, never a change.
            for (let other = 0; other < noise; other++) {
              changes.change(on('mutate', `noise:${now}`), 9, ++now, true);
            }
            const expected =
              log.filter((entry) => entry.by !== by && conflict(entry.path, path)).at(-1)?.at ?? 0;
            const actual = changes.lastChange(on('read', path), by);
            expect(actual).toBeGreaterThanOrEqual(expected);
            if (now < 100) expect(path === '' ? expected : actual).toBe(expected);
            changes.change(on('mutate', path), by, ++now, true);
            log.push({ path, by, at: now });
            expect(changes.size).toBeLessThanOrEqual(512);
          }
        },
      ),
    );
  });
});

import { entryOf } from '../test/host.js';
import { PendingChanges } from './pending-changes.js';

describe('PendingChanges', () => {
  const one = entryOf(1);
  const two = entryOf(2);

  it('keeps the newest state of each key', () => {
    const changes = new PendingChanges();
    changes.set('a', one);
    changes.set('a', two);
    changes.set('b', one);
    changes.delete('b');
    expect([...changes.take().changes]).toEqual([
      ['a', two],
      ['b', undefined],
    ]);
    expect(changes.isEmpty).toBe(true);
  });

  it('does not remember a key that the file does not hold and that is gone again', () => {
    const held = new Set(['held']);
    const changes = new PendingChanges((key) => held.has(key));
    for (const key of ['held', 'new']) {
      changes.set(key, one);
      changes.delete(key);
    }
    expect([...changes.take().changes]).toEqual([['held', undefined]]);
  });

  it('remembers the end of a key that is being written, until that is done', () => {
    const changes = new PendingChanges(() => false);
    changes.set('a', one);
    const batch = changes.take();
    changes.delete('a');
    expect(changes.isEmpty).toBe(false);
    changes.giveBack(batch);
    expect([...changes.take().changes]).toEqual([['a', undefined]]);
    changes.done();
    changes.delete('a');
    expect(changes.isEmpty).toBe(true);
  });

  it('forgets what came before a clear, and knows every key after it', () => {
    const changes = new PendingChanges();
    changes.set('a', one);
    changes.clear();
    changes.set('b', one);
    expect(changes.knows('anything')).toBe(true);
    const { cleared, changes: left } = changes.take();
    expect([cleared, [...left.keys()]]).toEqual([true, ['b']]);
  });

  it('takes back what was not written, except for what has changed since', () => {
    const changes = new PendingChanges();
    changes.set('a', one);
    changes.set('b', one);
    changes.clear();
    changes.set('a', one);
    changes.set('b', one);
    const batch = changes.take();
    changes.set('b', two);
    changes.delete('c');
    changes.giveBack(batch);
    const again = changes.take();
    expect(again.cleared).toBe(true);
    expect([...again.changes]).toEqual([
      ['a', one],
      ['b', two],
      ['c', undefined],
    ]);
  });

  it('takes back nothing from before a clear', () => {
    const changes = new PendingChanges();
    changes.set('a', one);
    const batch = changes.take();
    changes.clear();
    changes.giveBack(batch);
    expect(changes.take().changes.size).toBe(0);
  });
});

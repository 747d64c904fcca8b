import { RecentMap } from './recent-map.js';

describe('RecentMap', () => {
  it('remembers the keys that were used last', () => {
    const map = new RecentMap<number, number>(4);
    for (let key = 0; key < 100; key++) {
      map.set(key, key);
      map.get(0);
    }
    expect([96, 97, 98, 99, 0].map((key) => map.get(key))).toEqual([96, 97, 98, 99, 0]);
    expect(map.get(50)).toBeUndefined();
  });

  it('holds at most twice its capacity', () => {
    const map = new RecentMap<number, number>(16);
    for (let at = 0; at < 10_000; at++) {
      map.set((at * 7) % 1000, at);
      map.get((at * 13) % 1000);
      expect(map.size).toBeLessThanOrEqual(32);
    }
  });

  it('gives the value that was set last, also for a key it promoted', () => {
    const map = new RecentMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 1);
    map.set('c', 1);
    map.set('a', 2);
    expect(map.get('a')).toBe(2);
    map.set('d', 1);
    expect(map.get('a')).toBe(2);
  });

  it('tells when it forgets', () => {
    let forgot = 0;
    const map = new RecentMap<number, number>(3, () => forgot++);
    for (let key = 0; key < 3; key++) map.set(key, key);
    map.set(0, 1);
    expect(forgot).toBe(0);
    map.set(3, 3);
    expect(forgot).toBe(1);
  });

  it('holds nothing after clear', () => {
    const map = new RecentMap<number, number>(1);
    map.set(1, 1);
    map.set(2, 2);
    map.clear();
    expect([map.size, map.get(1), map.get(2)]).toEqual([0, undefined, undefined]);
  });
});

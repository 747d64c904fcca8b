import { Latencies } from './latencies.js';

describe('Latencies', () => {
  it('tells how long calls took since it was asked last', () => {
    const latencies = new Latencies();
    expect(latencies.take()).toBeNull();
    for (let ms = 1; ms <= 100; ms++) latencies.note(ms);
    expect(latencies.take()).toEqual({ calls: 100, p50: 51, p95: 96, max: 100 });
    expect(latencies.take()).toBeNull();
  });

  it('keeps a bounded choice of them', () => {
    const latencies = new Latencies();
    for (let at = 0; at < 50_000; at++) latencies.note(at % 100);
    const { calls, p50, max } = latencies.take()!;
    expect([calls, max]).toEqual([50_000, 99]);
    expect(Math.abs(p50 - 50)).toBeLessThan(10);
  });
});

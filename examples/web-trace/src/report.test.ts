import { comparison, counted, duration, percent } from './report.js';

describe('comparison', () => {
  it('shows both runs side by side', () => {
    const latencies = Float64Array.of(1, 2, 3, 4);
    const without = { latencies, wallMs: 2000, queries: 4 };
    const through = {
      latencies: latencies.map((ms) => ms / 1000),
      wallMs: 500,
      queries: 1,
      cache: { hits: 1, misses: 3, joined: 2 },
    };
    expect(comparison(without, through)).toMatchInlineSnapshot(`
      "┌─────────────────────────┬───────────────┬─────────────┐
      │                         │ without cache │  AsyncCache │
      ├─────────────────────────┼───────────────┼─────────────┤
      │ requests                │             4 │           4 │
      │ hits                    │             - │           1 │
      │ misses                  │             - │           3 │
      │   of them joined a load │             - │           2 │
      │ hit rate                │             - │     25.00 % │
      │ database queries        │             4 │           1 │
      │ queries saved           │             - │ 3 (75.00 %) │
      │ latency p50             │          2 ms │        2 µs │
      │ latency p99             │          4 ms │        4 µs │
      │ wall time               │         2.0 s │       0.5 s │
      └─────────────────────────┴───────────────┴─────────────┘"
    `);
  });
});

describe('numbers', () => {
  it.each([
    [duration(0.00254321), '2.54 µs'],
    [duration(6.38123), '6.38 ms'],
    [duration(1234.5), '1230 ms'],
    [percent(1, 3), '33.33 %'],
    [counted(1, 'query', 'queries'), '1 query'],
    [counted(1000, 'query', 'queries'), '1,000 queries'],
  ])('%s', (shown, expected) => expect(shown).toBe(expected));
});

import { complaint, findingsTable, holds, type Finding } from './report.js';

const findings: Finding[] = [
  { label: 'requests', value: 1234 },
  { label: 'queries', value: 3, exactly: 1 },
  { label: 'slowest answer', value: 12.34, unit: 'ms', atMost: 1000 },
  { label: 'answers', value: 99, atLeast: 100 },
];

describe('findingsTable', () => {
  it('shows what was measured, what was expected, and whether it held', () => {
    expect(findingsTable(findings)).toMatchInlineSnapshot(`
      "┌────────────────┬──────────┬─────────────┬───┐
      │                │ measured │    expected │   │
      ├────────────────┼──────────┼─────────────┼───┤
      │ requests       │    1,234 │             │   │
      │ queries        │        3 │           1 │ ✗ │
      │ slowest answer │  12.3 ms │ ≤ 1000.0 ms │ ✓ │
      │ answers        │       99 │       ≥ 100 │ ✗ │
      └────────────────┴──────────┴─────────────┴───┘"
    `);
  });
});

describe('complaint', () => {
  it('says what did not hold', () => {
    expect(findings.filter((finding) => !holds(finding)).map(complaint)).toEqual([
      'queries: 3, expected 1',
      'answers: 99, expected ≥ 100',
    ]);
  });
});

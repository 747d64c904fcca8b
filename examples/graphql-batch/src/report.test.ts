import { report } from './report.js';

describe('report', () => {
  it('shows what each run cost', () => {
    const answer = { users: [] };
    expect(
      report([
        { label: 'plain resolvers', answer, queries: 1234, rows: 2345, time: 123.456 },
        { label: 'DataLoader', answer, queries: 3, rows: 417, time: 1.2 },
      ]),
    ).toMatchInlineSnapshot(`
      "┌─────────────────┬─────────┬──────┬──────────┐
      │                 │ queries │ rows │     time │
      ├─────────────────┼─────────┼──────┼──────────┤
      │ plain resolvers │    1234 │ 2345 │ 123.5 ms │
      │ DataLoader      │       3 │  417 │   1.2 ms │
      └─────────────────┴─────────┴──────┴──────────┘"
    `);
  });
});

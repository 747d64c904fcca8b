import { comparisonTable, complaints } from './report.js';
import type { Outcome } from './use-case.js';

const bare: Outcome = { modelCalls: 20, toolRuns: 20, hits: 0, loop: undefined, state: undefined };
const guarded: Outcome = { ...bare, modelCalls: 4, toolRuns: 1, hits: 2, loop: 'search repeats' };

it('shows what was saved and stopped', () => {
  expect(comparisonTable([{ title: 'Research', bare, guarded }])).toMatchInlineSnapshot(`
    "┌──────────┬─────────────┬───────────┬────────────┬────────────┬──────────────────────────────────────────────┐
    │          │ model calls │ tool runs │ from cache │ in the end │ stopped by                                   │
    ├──────────┼─────────────┼───────────┼────────────┼────────────┼──────────────────────────────────────────────┤
    │ Research │      20 → 4 │    20 → 1 │          2 │            │ search repeats                               │
    └──────────┴─────────────┴───────────┴────────────┴────────────┴──────────────────────────────────────────────┘"
  `);
});

it('says what is not as it has to be', () => {
  expect(complaints('Research', 'guarded', guarded, { ...guarded, loop: 'search' })).toEqual([]);
  expect(complaints('Research', 'guarded', bare, guarded)).toEqual([
    'Research, guarded: modelCalls is 20, not 4',
    'Research, guarded: toolRuns is 20, not 1',
    'Research, guarded: hits is 0, not 2',
    'Research, guarded: loop is undefined, not search repeats',
  ]);
  expect(complaints('Research', 'bare', { ...bare, loop: 'x' }, bare)).toEqual([
    'Research, bare: loop is x, not undefined',
  ]);
});

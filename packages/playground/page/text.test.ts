import { count, duration, milliseconds, percent } from './text.js';

it.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [12_400, '12 s'],
  [180_000, '3 min'],
  [200_000, '3 min 20 s'],
  [7_200_000, '2 h'],
  [9_000_000, '2 h 30 min'],
  [30 * 86_400_000, '30 d'],
])('writes %d ms as %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});

it('writes numbers as they are read', () => {
  expect(count(1234567)).toBe('1,234,567');
  expect(percent(0.285)).toBe('28.5 %');
  expect([milliseconds(0.25), milliseconds(51.7)]).toEqual(['0.3 ms', '52 ms']);
});

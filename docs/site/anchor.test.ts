import { anchorOf } from './anchor.js';

describe('anchorOf', () => {
  it.each([
    ['Races', 'races'],
    ['The life of an entry', 'the-life-of-an-entry'],
    ['Options of `new AsyncCache(options)`', 'options-of-new-asynccacheoptions'],
    ["Where does the tests' Redis come from?", 'where-does-the-tests-redis-come-from'],
    ['stale_if_error - really', 'stale_if_error---really'],
    ['Größe & Gewicht', 'größe--gewicht'],
  ])('of "%s" is what GitHub makes of it', (heading, anchor) => {
    expect(anchorOf(heading)).toBe(anchor);
  });
});

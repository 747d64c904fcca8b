import { Evidence, type Check } from './check.js';

export const metrics: Check = {
  id: 'metrics',
  promise: 'every caller is counted once: hits + misses are the calls',
  async run(rigs) {
    const { driver, read, source } = rigs.live();
    const found = new Evidence();
    await read('item 1');
    for (let times = 0; times < 9; times++) await read('item 1');
    await Promise.all(Array.from({ length: 10 }, () => read('item 2')));
    found.note('1 call of a cold key, 9 more one after another, 10 at once of another key');
    const seen = driver.cache.getMetrics();
    const { stores } = rigs;
    if (!stores) found.note('these settings store nothing: each call but those at once is a load');
    found.expect('hits', seen.hits, stores && fits(rigs.ttl) ? 9 : seen.hits);
    found.expect('hits + misses', seen.hits + seen.misses, 20);
    found.expect('joined', seen.joined, 9);
    found.expect('loads, as the cache counts them', seen.loads, source.loads);
    found.expect('misses that did not join', seen.misses - seen.joined, seen.loads);
    found.expect('hitRate', seen.hitRate, seen.hits / 20);
    return found;
  },
};

/** Whether a ttl is long enough for ten calls in a row on a busy machine. */
function fits(ttl: number): boolean {
  return ttl >= 1000;
}

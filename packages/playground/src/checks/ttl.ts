import { Evidence, type Check } from './check.js';
import type { Rigs, StillRig } from './rig.js';

const YEAR = 365 * 24 * 3600 * 1000;

export const ttl: Check = {
  id: 'ttl',
  promise:
    'a value is fresh for its ttl and not a millisecond longer, then stale as the windows allow',
  async run(rigs) {
    const found = new Evidence();
    found.note('on a clock that the check moves');
    const rig = rigs.still();
    const first = await rig.read('item 1');
    const key = rig.driver.keyOf('item 1', 1);
    if (!rigs.stores) {
      found.expect('stored', rig.driver.cache.has(key), false);
      found.note('these settings store nothing');
      return found;
    }
    if (rigs.ttl === Infinity) {
      await rig.clock.advance(YEAR);
      found.expect('fresh after a year', rig.driver.cache.has(key), true);
      return found;
    }
    await rig.clock.advance(rigs.ttl - 1);
    found.expect(`fresh at ${rigs.ttl - 1} ms`, rig.driver.cache.has(key), true);
    await rig.clock.advance(1);
    found.expect(`fresh at ${rigs.ttl} ms`, rig.driver.cache.has(key), false);
    await afterwards(rigs, rig, first.load, found);
    await whenLoadsFail(rigs, found);
    return found;
  },
};

/** At the end of the ttl, with a database that answers. */
async function afterwards(
  rigs: Rigs,
  { clock, read, source }: StillRig,
  first: number,
  found: Evidence,
): Promise<void> {
  const { load } = await read('item 1');
  if (rigs.staleWhileRevalidate === 0) {
    found.expect('the next call loads anew', load > first, true);
    return;
  }
  found.expect('the next call is served the stale value', load, first);
  // Batches wait for their window.
  await clock.advance(rigs.settings.kind === 'batch' ? 5000 : 0);
  found.expect('one refresh ran behind it, so that loads are', source.loads, first + 1);
}

/** Past the ttl, with a database that is down. */
async function whenLoadsFail(rigs: Rigs, found: Evidence): Promise<void> {
  const { staleIfError, staleWhileRevalidate } = rigs;
  if (staleIfError <= staleWhileRevalidate) return;
  const { clock, read, source } = rigs.still();
  const { load } = await read('item 1');
  source.backend = { latency: 0, failures: 1 };
  await clock.advance(rigs.ttl + staleWhileRevalidate);
  const late = await read('item 1').catch(() => undefined);
  found.expect('the database is down: the value that is served is from load', late?.load, load);
  await clock.advance(staleIfError - staleWhileRevalidate);
  const rejected = await read('item 1').then(
    () => false,
    () => true,
  );
  found.expect('past staleIfError the call fails', rejected, true);
}

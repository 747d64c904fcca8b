import { Evidence, type Check } from './check.js';
import type { Rig } from './rig.js';

/** Two caches on one Redis, as two processes have them. */
export const coherence: Check = {
  id: 'coherence',
  promise: 'caches on one Redis share what one of them loaded, and what one invalidates',
  async run(rigs) {
    const found = new Evidence();
    const name = rigs.newName();
    const [one, other] = [rigs.live({ name }), rigs.live({ name })];
    await Promise.all([one.driver.cache.ready, other.driver.cache.ready]);
    const item = await one.read('item 1');
    const shared = await other.read('item 1');
    if (!rigs.stores || rigs.ttl < 1000) {
      found.note('these settings keep nothing for long enough to be shared');
      return found;
    }
    found.expect('the other has, without a load', shared.text, item.text);
    found.expect('its loads', other.source.loads, 0);
    const startedAt = performance.now();
    await one.driver.cache.delete(one.driver.keyOf('item 1', 1));
    const isGone = await goneWithin(other, 3000);
    found.expect('a delete reached the other', isGone, true);
    found.note(`after ${Math.round(performance.now() - startedAt)} ms`);
    return found;
  },
};

async function goneWithin({ driver }: Rig, ms: number): Promise<boolean> {
  const key = driver.keyOf('item 1', 1);
  for (let waited = 0; waited <= ms; waited += 10) {
    if (!driver.cache.has(key)) return true;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return false;
}

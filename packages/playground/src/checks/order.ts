import { Evidence, type Check } from './check.js';
import type { Rigs } from './rig.js';

/** A cache that is larger is tried with this many entries: the rule is the same, and nobody waits. */
const MOST = 10_000;

export const order: Check = {
  id: 'order',
  promise: 'when there is no room, the policy says who goes',
  async run(rigs) {
    const found = new Evidence();
    const { maxSize, policy } = rigs.settings;
    if (!rigs.stores) await nothingStored(rigs, found);
    else if (maxSize === null) await unbounded(rigs, found);
    else {
      const size = Math.min(maxSize, MOST);
      if (size < maxSize) found.note(`tried with maxSize ${size}`);
      await (policy === 'tinylfu' && size >= 16
        ? scan(rigs, size, found)
        : leastRecent(rigs, size, found));
    }
    return found;
  },
};

async function nothingStored(rigs: Rigs, found: Evidence): Promise<void> {
  const { cache } = rigs.still().driver;
  await cache.set('a', { text: 'a', load: 0 });
  found.expect('entries after a set, with settings that store nothing', cache.size, 0);
}

async function unbounded(rigs: Rigs, found: Evidence): Promise<void> {
  const { cache } = rigs.still().driver;
  for (let at = 0; at < MOST; at++) await cache.set(`k${at}`, { text: '', load: 0 });
  found.expect(`entries after ${MOST} sets without a bound`, cache.size, MOST);
  found.expect('evictions', cache.getMetrics().evictions, 0);
}

async function leastRecent(rigs: Rigs, size: number, found: Evidence): Promise<void> {
  const { cache } = rigs.still({ maxSize: size }).driver;
  const evicted: unknown[] = [];
  cache.on('evict', ({ key }) => evicted.push(key));
  for (let at = 0; at < size; at++) await cache.set(`k${at}`, { text: '', load: 0 });
  found.note(`filled with k0 … k${size - 1}, in this order`);
  if (size > 1) {
    await cache.get('k0');
    found.note('read k0, so that k1 is the least recently used');
  }
  await cache.set('new', { text: '', load: 0 });
  found.expect('a new entry evicts', evicted.join(', '), size > 1 ? 'k1' : 'k0');
  found.expect('the new entry is there', cache.has('new'), true);
  found.expect('entries', cache.size, size);
}

/** What many asked for must outlive a scan of what nobody asks for twice. */
async function scan(rigs: Rigs, size: number, found: Evidence): Promise<void> {
  const { cache } = rigs.still({ maxSize: size }).driver;
  const load = () => ({ text: '', load: 0 });
  const popular = Array.from({ length: Math.floor(size / 4) }, (_, at) => `popular ${at}`);
  for (let round = 0; round < 5; round++) for (const key of popular) await cache.get(key, load);
  for (let at = 0; at < size * 3; at++) await cache.get(`scanned ${at}`, load);
  const kept = popular.filter((key) => cache.has(key)).length;
  found.note(`${popular.length} keys were read 5 times, then ${size * 3} others once each`);
  found.note(`of the ${popular.length}, ${kept} are still there; an LRU would have none`);
  found.expect('at least nine in ten are', kept >= popular.length * 0.9, true);
  found.expect('entries within maxSize', cache.size <= size, true);
}

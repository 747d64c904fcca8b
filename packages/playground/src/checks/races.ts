import { Evidence, type Check } from './check.js';
import type { Rig, Rigs } from './rig.js';

/** What may come between, while a load of the key runs. */
const INVALIDATIONS: Record<string, (rig: Rig, key: string) => Promise<unknown>> = {
  delete: ({ driver }, key) => driver.cache.delete(key),
  expire: ({ driver }, key) => driver.cache.expire(key),
  invalidateTags: ({ driver }) => driver.cache.invalidateTags('odd'),
  clear: ({ driver }) => driver.cache.clear(),
};

export const races: Check = {
  id: 'races',
  promise: 'an invalidation always wins against a load that runs',
  async run(rigs) {
    const found = new Evidence();
    for (const [name, invalidate] of Object.entries(INVALIDATIONS)) {
      const { key, rig, running } = await loading(rigs);
      await invalidate(rig, key);
      running.release();
      const item = await running.item;
      found.expect(`${name} during load 1: who waited got load`, item.load, 1);
      found.expect(`${name}: it is served as fresh afterwards`, rig.driver.cache.has(key), false);
    }
    await whileSetting(rigs, found);
    await whileFailing(rigs, found);
    return found;
  },
};

async function whileSetting(rigs: Rigs, found: Evidence): Promise<void> {
  const { key, rig, running } = await loading(rigs);
  await rig.driver.cache.set(key, { text: 'set', load: 0 });
  running.release();
  await running.item;
  const held = rig.driver.cache.peek(key)?.text;
  found.expect('set during a load: memory holds', held, rigs.stores ? 'set' : undefined);
}

async function whileFailing(rigs: Rigs, found: Evidence): Promise<void> {
  const rig = rigs.live();
  rig.source.backend = { latency: 10, failures: 1 };
  const errors = await Promise.all(
    Array.from({ length: 10 }, () => rig.read('item 1').catch((error: unknown) => error)),
  );
  found.expect('a load fails: errors that 10 callers got', new Set(errors).size, 1);
  found.expect('loads', rig.source.loads, 1);
}

/** A rig in which a load of a key runs, and ends when it is let. */
async function loading(rigs: Rigs) {
  const rig = rigs.live();
  const release = rig.source.hold();
  const begun = new Promise<void>((resolve) => {
    rig.source.watch = () => {
      resolve();
    };
  });
  const item = rig.read('item 1');
  await Promise.race([begun, item]);
  return { rig, key: rig.driver.keyOf('item 1', 1), running: { item, release } };
}

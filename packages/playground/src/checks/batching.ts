import type { LoadRecord } from '../source.js';
import { Evidence, type Check } from './check.js';

export const batching: Check = {
  id: 'batching',
  promise: 'keys that are asked for within the window are loaded together, maxBatchSize at most',
  async run(rigs) {
    const { maxBatchSize, window } = rigs.settings;
    const { driver, source } = rigs.live();
    const found = new Evidence();
    const keys = Math.min(250, maxBatchSize * 2 + 1);
    const batches = new Map<number, LoadRecord>();
    source.watch = (record) => batches.set(record.load, record);
    const batchLoader = (ids: readonly string[]) => source.findMany(ids);
    // Each twice: a key that is asked for twice is in a batch once.
    const ids = Array.from({ length: keys * 2 }, (_, at) => `item ${at % keys}`);
    const items = await Promise.all(ids.map((id) => driver.cache.get(id, { batchLoader })));
    const sizes = [...batches.values()].map((batch) => batch.ids.length);
    found.note(
      `${ids.length} calls at once for ${keys} keys; window ${window}, up to ${maxBatchSize} keys`,
    );
    found.expect('batches', sizes.length, Math.ceil(keys / maxBatchSize));
    found.note(`keys in each: ${sizes.slice(0, 20).join(', ')}${sizes.length > 20 ? ' …' : ''}`);
    found.expect('largest within maxBatchSize', Math.max(...sizes) <= maxBatchSize, true);
    const loaded = [...batches.values()].flatMap((batch) => batch.ids);
    found.expect('keys loaded twice', loaded.length - new Set(loaded).size, 0);
    const right = items.filter((item, at) => item.text.startsWith(`${ids[at]},`)).length;
    found.expect('callers who got the item they asked for', right, ids.length);
    return found;
  },
};

import { Evidence, type Check } from './check.js';

export const herd: Check = {
  id: 'herd',
  promise: '100 callers at once for one cold key are one load, and get one value',
  async run(rigs) {
    const { driver, read, source } = rigs.live();
    const found = new Evidence();
    const items = await Promise.all(Array.from({ length: 100 }, () => read('item 1')));
    const { joined, misses } = driver.cache.getMetrics();
    found.expect('loads', source.loads, 1);
    found.expect('different values', new Set(items.map(({ text }) => text)).size, 1);
    found.expect('misses', misses, 100);
    found.expect('of these joined', joined, 99);
    return found;
  },
};

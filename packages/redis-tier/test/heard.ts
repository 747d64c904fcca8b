import { until, type Process } from './world.js';

let marks = 0;

/** Waits until one process has heard of all that was done up to now; another one helps to find out. */
export async function untilHeard<K, V>(reader: Process<K, V>, by: Process<K, V>): Promise<void> {
  const key = `mark ${++marks}` as never;
  await by.set(key, 'old' as never);
  await reader.get(key);
  // Changes are told of in their order: who has heard of this one has heard of all before it.
  await by.set(key, 'new' as never);
  await until('the news', () => !reader.has(key));
  // And so are commands answered: whatever was asked about them was answered by now.
  await reader.get(key);
}

/** Waits until a process waits for the load of another one. */
export async function untilWaiting({ tier }: Pick<Process, 'tier'>): Promise<void> {
  await until('it to wait', () => tier.getMetrics().waits > 0);
}

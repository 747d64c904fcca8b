import { DataLoader, type DataLoaderOptions } from '../src/index.js';
import { controlledBatches } from './controlled-batches.js';

/** A loader that answers `v:<key>`, and the keys of the batches it sent. */
export function recorded<K = number, C = K>(options?: DataLoaderOptions<K, string, C>) {
  const batches: (readonly K[])[] = [];
  const loader = new DataLoader<K, string, C>(async (keys) => {
    batches.push([...keys]);
    return keys.map((key) => `v:${String(key)}`);
  }, options);
  return { loader, batches };
}

/** A loader whose batches the test settles. */
export function controlled<K = number, V = unknown>(options?: DataLoaderOptions<K, V>) {
  const batches = controlledBatches<K, readonly (V | Error)[]>();
  return { loader: new DataLoader<K, V>(batches.load, options), ...batches };
}

import type { Settings } from './settings.js';

/** Not the one that is used: its password is nobody's business. */
const REDIS = "'redis://localhost:6379'";

/** The program that the settings stand for, as somebody would write it. */
export function settingsAsCode(
  settings: Settings,
  { redis, file }: { redis: boolean; file: string | null },
): string {
  const { kind } = settings;
  const options = Object.entries(optionsOf(settings));
  if (redis) options.unshift(['name', "'items'"]);
  if (kind === 'AsyncTTL' || kind === 'AsyncLRU') {
    if (redis) options.push(['tier', `redisTier(${REDIS})`]);
    if (file !== null) options.push(['persistence', `filePersistence(${quoted(file)})`]);
    const names = [
      kind,
      ...(redis ? ['redisTier'] : []),
      ...(file === null ? [] : ['filePersistence']),
    ].join(', ');
    return `import { ${names} } from '@acache/all';

const findItem = ${kind}(${asObject(options)})(
  async (connection: Connection, id: string) => connection.find(id),
);
await findItem(connection, 'item 1');`;
  }
  if (redis) options.push(['redis', REDIS]);
  if (file !== null) options.push(['persist', quoted(file)]);
  const isBatch = kind === 'batch';
  const load = isBatch
    ? `const findItems = async (ids: readonly string[]) => database.findAll(ids);`
    : `const findItem = async (id: string) => database.find(id);`;
  return `import { createCache } from '@acache/all';

const cache = createCache<string, Item>(${asObject(options)});
${load}
await cache.get('item 1', ${isBatch ? '{ batchLoader: findItems }' : 'findItem'});`;
}

/** Those that are not what they are anyway. */
function optionsOf(settings: Settings): Record<string, string> {
  const { kind, maxSize, policy, skipArgs, staleIfError, staleWhileRevalidate, ttl } = settings;
  const isFunction = kind === 'AsyncTTL' || kind === 'AsyncLRU';
  return {
    maxSize: String(maxSize),
    ttl: quoted(ttl),
    ...(policy !== 'lru' && { policy: quoted(policy) }),
    ...(staleWhileRevalidate !== 0 && { staleWhileRevalidate: quoted(staleWhileRevalidate) }),
    ...(staleIfError !== 0 && { staleIfError: quoted(staleIfError) }),
    ...(isFunction && { skipArgs: String(skipArgs) }),
    ...(kind === 'batch' && {
      batch: `{ window: ${quoted(settings.window)}, maxBatchSize: ${settings.maxBatchSize} }`,
    }),
  };
}

function asObject(options: readonly (readonly [string, string])[]): string {
  return `{\n${options.map(([name, value]) => `  ${name}: ${value},\n`).join('')}}`;
}

function quoted(value: string | number | null): string {
  return typeof value === 'string' ? `'${value.replace(/['\\]/g, '\\$&')}'` : String(value);
}

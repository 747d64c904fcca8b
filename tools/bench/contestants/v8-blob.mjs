import { existsSync, readFileSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { deserialize, serialize } from 'node:v8';

/** @param {string} folder */
const fileIn = (folder) => `${folder}/map.v8`;

/**
 * What one writes by hand first: the whole `Map` as one blob.
 *
 * @type {import('../lib/contestant.mjs').OpenStore}
 */
export const openStore = async (folder, { synced = true } = {}) => {
  const file = fileIn(folder);
  /** @type {Map<string, object>} */
  const map = existsSync(file) ? deserialize(await readFile(file)) : new Map();
  return {
    set(keys, values) {
      for (let i = 0; i < keys.length; i++) map.set(keys[i], values[i]);
    },
    async flush() {
      const handle = await open(file, 'w');
      await handle.writeFile(serialize(map));
      if (synced) await handle.datasync();
      await handle.close();
    },
    get: (key) => map.get(key),
    close: () => undefined,
  };
};

/**
 * The file is read before: it is `v8.deserialize` alone.
 *
 * @type {import('../lib/contestant.mjs').Restoring}
 */
export const restoring = (folder) => {
  /** @type {Buffer | undefined} */
  let blob = readFileSync(fileIn(folder));
  return () => {
    /** @type {Map<string, object>} */
    const map = deserialize(/** @type {Buffer} */ (blob));
    blob = undefined; // lest it counts as memory in use
    return { size: map.size, get: (key) => map.get(key) };
  };
};

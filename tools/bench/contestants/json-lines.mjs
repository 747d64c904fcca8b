import { existsSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';

/** Characters that are written at once. */
const CHUNK = 1024 * 1024;

/**
 * The limit of writing: every entry as a line of JSON, appended in chunks, and brought to the disk
 * once. Nothing finds an entry in it without reading all of it, and nothing tells that it is damaged.
 *
 * @type {import('../lib/contestant.mjs').OpenStore}
 */
export const openStore = async (folder, { synced = true } = {}) => {
  const file = `${folder}/lines.json`;
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
  const map = new Map(lines.map((line) => JSON.parse(line)));
  const handle = await open(file, 'a');
  return {
    async set(keys, values) {
      let chunk = '';
      for (let i = 0; i < keys.length; i++) {
        chunk += `${JSON.stringify([keys[i], values[i]])}\n`;
        if (chunk.length < CHUNK) continue;
        await handle.appendFile(chunk);
        chunk = '';
      }
      await handle.appendFile(chunk);
    },
    async flush() {
      if (synced) await handle.datasync();
    },
    get: (key) => map.get(key),
    close: () => handle.close(),
  };
};

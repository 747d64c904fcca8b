import { open } from 'lmdb';

/**
 * Puts are batched by itself, as its manual says; values in its own encoding, MessagePack.
 *
 * @type {import('../lib/contestant.mjs').OpenStore}
 */
export const openStore = (folder, { synced = true } = {}) => {
  const db = open({ path: `${folder}/data.mdb`, noSync: !synced });
  /** @type {Promise<boolean> | undefined} */
  let last;
  return {
    set(keys, values) {
      for (let i = 0; i < keys.length; i++) last = db.put(keys[i], values[i]);
    },
    async flush() {
      await last;
      if (synced) await db.flushed;
    },
    get: (key) => db.get(key),
    close: () => db.close(),
  };
};

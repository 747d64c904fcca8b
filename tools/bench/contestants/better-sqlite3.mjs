import Database from 'better-sqlite3';

/** Entries of one transaction. */
const TOGETHER = 1000;

/**
 * As its manual advises, with a write-ahead log; values as JSON. With `synchronous = NORMAL` a
 * transaction reaches the disk with the next checkpoint, hence one in `flush`.
 *
 * @type {import('../lib/contestant.mjs').OpenStore}
 */
export const openStore = (folder, { synced = true } = {}) => {
  const db = new Database(`${folder}/data.sqlite`);
  db.pragma('journal_mode = WAL');
  db.pragma(`synchronous = ${synced ? 'NORMAL' : 'OFF'}`);
  db.exec('CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID');
  const insert = db.prepare('INSERT OR REPLACE INTO entries VALUES (?, ?)');
  const select = db.prepare('SELECT value FROM entries WHERE key = ?').pluck();
  const setSome = db.transaction(
    (/** @type {string[]} */ keys, /** @type {object[]} */ values, /** @type {number} */ from) => {
      const to = Math.min(from + TOGETHER, keys.length);
      for (let i = from; i < to; i++) insert.run(keys[i], JSON.stringify(values[i]));
    },
  );
  return {
    set(keys, values) {
      for (let from = 0; from < keys.length; from += TOGETHER) setSome(keys, values, from);
    },
    async flush() {
      if (synced) db.pragma('wal_checkpoint(FULL)');
    },
    get: (key) => JSON.parse(/** @type {string} */ (select.get(key))),
    close: () => db.close(),
  };
};

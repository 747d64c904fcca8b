import assert from 'node:assert/strict';
import { linkSync, mkdirSync, mkdtempSync, readdirSync, statSync } from 'node:fs';
import { sampleOf, short } from '../lib/case.mjs';
import { contestant } from '../lib/contestant.mjs';
import { makeKeys, makeUsers, picker } from '../lib/data.mjs';
import { cpuMilliseconds } from '../lib/gaps.mjs';
import { settledBytes } from '../lib/heap.mjs';
import { collectGarbage } from '../lib/interleave.mjs';

const MEGABYTE = 1e6;
/** The first values are used before anyone looks at the clock, and then so many in each batch. */
const WARM_UP = 2000;
const TOGETHER = 500;
const BATCHES = 20;

/** @type {readonly import('../lib/case.mjs').Figure[]} */
const figures = [
  { name: 'open', unit: 'ms', detail: 'ratios' },
  { name: 'CPU', unit: 'ms' },
  { name: 'first use', unit: 'µs' },
  { name: 'rss', unit: 'MB' },
  { name: 'peak rss', unit: 'MB' },
];

/** @type {import('../lib/case.mjs').Case} */
export const persistOpen = {
  name: 'persist-open',
  about:
    'what a restart takes with so many entries of about 200 B in the file: until `cache.ready`, and (acache-open) `persistence.open` alone, restoring into a Map; processor time; the first get of an entry, which decodes its value; memory taken for opening, garbage collected, and the most of the process; baseline one v8.deserialize of a Map of the same from a buffer in memory; each in a new process',
  baseline: 'v8-blob',
  needs: 'filePersistence',
  unit: 'ms',
  figures,
  alone: true,
  runs: (long) => (long ? 9 : 3),
  variants: (long) => {
    const entries = long ? 1_000_000 : 100_000;
    return [{ label: short(entries), entries, peers: ['acache-open'] }];
  },
  async prepare({ entries = 0 }, folder) {
    const keys = makeKeys(entries);
    const values = makeUsers(entries);
    mkdirSync(savedIn(folder));
    for (const name of ['v8-blob', 'acache']) {
      const { openStore } = await contestant(name);
      const store = await openStore(savedIn(folder));
      store.set(keys, values);
      await store.flush();
      await store.close();
    }
  },
  async measure([name], { entries = 0 }, _seconds, folder) {
    const { restoring } = await contestant(name);
    const found = stateOf(folder);
    const own = linked(folder);
    const before = process.memoryUsage().rss;
    const restore = restoring(own);

    const used = cpuMilliseconds();
    const from = performance.now();
    const restored = await restore();
    const open = performance.now() - from;
    const cpu = cpuMilliseconds() - used;

    await settledBytes();
    const rss = (process.memoryUsage().rss - before) / MEGABYTE;
    const peak = process.resourceUsage().maxRSS / (MEGABYTE / 1024);
    assert.equal(restored.size, entries);
    for (const [id, user] of makeUsers(WARM_UP).entries()) {
      assert.deepEqual(await restored.get(`user:${id}`), user);
    }
    assert.deepEqual(stateOf(folder), found);

    /** @type {import('../lib/case.mjs').Samples} */
    const samples = {};
    const uses = restored.lazy
      ? await firstUses(restored.get, makeKeys(entries).slice(WARM_UP))
      : undefined;
    [[open], [cpu], uses, [rss], [peak]].forEach((numbers, at) => {
      if (numbers !== undefined) samples[sampleOf(name, figures[at])] = numbers;
    });
    return samples;
  },
};

/** @param {string} folder */
const savedIn = (folder) => `${folder}/saved`;

/**
 * A folder of its own for each process, lest one finds the lock of another; the files are the same.
 *
 * @param {string} folder
 */
function linked(folder) {
  const own = mkdtempSync(`${folder}/own-`);
  for (const name of readdirSync(savedIn(folder))) {
    linkSync(`${savedIn(folder)}/${name}`, `${own}/${name}`);
  }
  return own;
}

/**
 * The next process must find what this one found. Nothing is closed for that reason: it would write.
 *
 * @param {string} folder
 */
const stateOf = (folder) =>
  readdirSync(savedIn(folder)).map((name) => {
    const { mtimeMs, size } = statSync(`${savedIn(folder)}/${name}`);
    return { name, mtimeMs, size };
  });

/**
 * Microseconds of a get, the mean of each batch.
 *
 * @param {(key: string) => unknown} get
 * @param {string[]} keys
 */
async function firstUses(get, keys) {
  const pick = picker(keys);
  const picks = [...new Set(Array.from({ length: 2 * BATCHES * TOGETHER }, pick))];
  collectGarbage();
  const times = [];
  for (let nth = 0; nth < BATCHES; nth++) {
    const batch = picks.slice(nth * TOGETHER, (nth + 1) * TOGETHER);
    const from = performance.now();
    for (const key of batch) await get(key);
    times.push(((performance.now() - from) * 1000) / TOGETHER);
  }
  return times;
}

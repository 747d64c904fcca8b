import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { sampleOf, short } from '../lib/case.mjs';
import { contestant } from '../lib/contestant.mjs';
import { makeKeys, makeUsers } from '../lib/data.mjs';
import { bytesOnDisk, removeFolder } from '../lib/folder.mjs';
import { cpuMilliseconds } from '../lib/gaps.mjs';
import { collectGarbage } from '../lib/interleave.mjs';

/** Where an entry takes more than half a millisecond, so many are as good as a hundred thousand. */
const FEW = 2000;
const WARM_UP = 2000;
const PROBED = 100;

/** @type {readonly import('../lib/case.mjs').Figure[]} */
const figures = [
  { name: 'per entry', unit: 'µs', detail: 'ratios' },
  { name: 'entries', unit: '/s' },
  { name: 'CPU', unit: 'µs' },
  { name: 'on disk', unit: 'B' },
];

/** @type {import('../lib/case.mjs').Case} */
export const persistWrite = {
  name: 'persist-write',
  about:
    'so many new entries of about 200 B, written and waited for until they would outlive a loss of power (synced), or the process (left to the system): time and processor time for each, entries per second, and what one takes of the disk; baseline lines of JSON, appended; each in a new process',
  baseline: 'json-lines',
  needs: 'filePersistence',
  unit: 'µs',
  figures,
  alone: true,
  runs: (long) => (long ? 9 : 3),
  variants: (long) => {
    const entries = 100_000;
    const peers = ['lmdb', 'better-sqlite3'];
    return [
      ...(long ? [{ label: `${short(entries)}, synced`, entries, synced: true, peers }] : []),
      {
        label: `${short(entries)}, left to the system`,
        entries,
        synced: false,
        peers: [...peers, ...(long ? ['cacache'] : [])],
      },
    ];
  },
  async measure([name], { entries = 0, synced }, _seconds, folder) {
    const { openStore } = await contestant(name);
    const count = name === 'cacache' ? Math.min(entries, FEW) : entries;
    const keys = makeKeys(count);
    const values = makeUsers(count);
    const [warm, own] = ['warm', 'own'].map((prefix) => mkdtempSync(`${folder}/${prefix}-`));

    const first = await openStore(warm, { synced });
    await first.set(keys.slice(0, WARM_UP), values);
    await first.flush();
    await first.close();

    const store = await openStore(own, { synced });
    collectGarbage();
    const used = cpuMilliseconds();
    const from = performance.now();
    await store.set(keys, values);
    await store.flush();
    const took = performance.now() - from;
    const cpu = cpuMilliseconds() - used;
    await store.close();
    const bytes = bytesOnDisk(own);

    const again = await openStore(own, { synced });
    for (let i = 0; i < count; i += Math.ceil(count / PROBED)) {
      assert.deepEqual(await again.get(keys[i]), values[i]);
    }
    await again.close();
    for (const used of [warm, own]) removeFolder(used);

    const results = [
      (took * 1000) / count,
      (count * 1000) / took,
      (cpu * 1000) / count,
      bytes / count,
    ];
    return Object.fromEntries(results.map((result, at) => [sampleOf(name, figures[at]), [result]]));
  },
};

import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readdirSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { sampleOf, short } from '../lib/case.mjs';
import { contestant } from '../lib/contestant.mjs';
import { makeKeys, makeUsers, picker } from '../lib/data.mjs';
import { removeFolder } from '../lib/folder.mjs';
import { watchGaps } from '../lib/gaps.mjs';
import { collectGarbage } from '../lib/interleave.mjs';

/** How much of a file is garbage before its compaction: it begins at half. */
const REWRITTEN = 0.92;
/** So many entries are set and so many read every few milliseconds while a file is rewritten. */
const SET = 200;
const READ = 50;
const PAUSE = 5;
/** Milliseconds. */
const IDLE = 2000;
const PATIENCE = 60_000;

/** @type {readonly import('../lib/case.mjs').Figure[]} */
const figures = [
  { name: 'longest gap', unit: 'ms', detail: 'spread' },
  { name: 'CPU in it', unit: 'ms' },
  { name: 'most CPU in a gap', unit: 'ms' },
  { name: 'took', unit: 'ms' },
];

/** @type {import('../lib/case.mjs').Case} */
export const persistStall = {
  name: 'persist-stall',
  about:
    'longest gap between ticks of a 1 ms timer, while so many entries of about 200 B that were all set at once are flushed; while a file that holds so many and as much garbage is rewritten, with up to 40,000 sets and 10,000 gets a second beside it; while so many are restored; the processor time that the process used in that gap, and in any; first row of each with nothing written or read',
  baseline: 'idle',
  needs: 'filePersistence',
  unit: 'ms',
  figures,
  alone: true,
  runs: (long) => (long ? 7 : 2),
  variants: (long) =>
    (long ? [100_000, 1_000_000] : [100_000]).flatMap((entries) =>
      Object.keys(phases).map((phase) => ({
        label: `${phase}, ${short(entries)}`,
        entries,
        phase,
        peers: phase === 'compaction' ? [] : ['v8-blob'],
      })),
    ),
  async prepare({ entries = 0, phase }, folder) {
    if (phase === 'flush') return;
    const keys = makeKeys(entries);
    const values = makeUsers(entries);
    for (const name of ['acache', ...(phase === 'load' ? ['v8-blob'] : [])]) {
      const { openStore } = await contestant(name);
      const store = await openStore(folder);
      store.set(keys, values);
      await store.flush();
      if (phase === 'compaction') store.set(keys.slice(0, entries * REWRITTEN), values);
      await store.close();
    }
  },
  async measure([name], { entries = 0, phase = '' }, _seconds, folder) {
    const own = copied(folder);
    const gaps = await phases[phase](name, entries, own);
    removeFolder(own);
    const { longest, cpuInLongest, mostCpu, took } = gaps;
    return Object.fromEntries(
      [longest, cpuInLongest, mostCpu, took].map((figure, at) => [
        sampleOf(name, figures[at]),
        [figure],
      ]),
    );
  },
};

/** @type {Record<string, (name: string, entries: number, folder: string) => ReturnType<typeof watchGaps>>} */
const phases = {
  async flush(name, entries, folder) {
    const { openStore } = await contestant(name);
    const keys = makeKeys(entries);
    const values = makeUsers(entries);
    const store = await openStore(folder);
    collectGarbage(); // what making them left
    store.set(keys, values);
    return watchGaps(() => store.flush());
  },

  async compaction(name, entries, folder) {
    const { openStore } = await contestant(name);
    const keys = makeKeys(entries);
    const values = makeUsers(entries);
    const store = await openStore(folder);
    const pick = picker(keys);
    const { file } = store;
    const isDone = file === undefined ? after(IDLE) : replaced(file);
    collectGarbage();
    return watchGaps(async () => {
      const until = performance.now() + PATIENCE;
      for (let from = 0; !isDone(); from = (from + SET) % entries) {
        if (performance.now() > until) throw new Error('no compaction began, or none ended');
        store.set(keys.slice(from, from + SET), values.slice(from, from + SET));
        for (let i = 0; i < READ; i++) await store.get(pick());
        await sleep(PAUSE);
      }
    });
  },

  async load(name, entries, folder) {
    const { restoring } = await contestant(name);
    const restore = restoring(folder);
    let size = 0;
    const gaps = await watchGaps(async () => {
      size = (await restore()).size;
    });
    if (name !== 'idle') assert.equal(size, entries);
    return gaps;
  },
};

/** @param {number} ms */
function after(ms) {
  const until = performance.now() + ms;
  return () => performance.now() > until;
}

/**
 * Whether another file has the name by now.
 *
 * @param {string} file
 */
function replaced(file) {
  const { ino } = statSync(file);
  return () => statSync(file).ino !== ino;
}

/**
 * The files of the folder, in one of its own: they are changed.
 *
 * @param {string} folder
 */
function copied(folder) {
  const files = readdirSync(folder, { withFileTypes: true }).filter((file) => file.isFile());
  const own = mkdtempSync(`${folder}/own-`);
  for (const { name } of files) copyFileSync(`${folder}/${name}`, `${own}/${name}`);
  return own;
}

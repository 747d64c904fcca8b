import { copyFile, open, readFile, stat, writeFile } from 'node:fs/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Entry, Serializer } from '@acache/core';
import { fakeClock } from '@acache/core/testing';
import { valueSerializer } from '@acache/core/values';
import { FILE_MAGIC, LOG_START } from '../src/file-head.js';
import { LogFile } from '../src/log-file.js';
import { emptyTail } from '../src/log-tail.js';
import type { FilePersistenceOptions } from '../src/options.js';
import { entryOf, openSession, until, type Session } from './host.js';

/** When all of it was recorded, in milliseconds since the epoch. */
export const RECORDED_AT = 1_700_000_000_000;
const MINUTE = 60_000;
const LATER = RECORDED_AT + MINUTE;

/** A file, and how it was made. */
export interface Recording {
  readonly write: (path: string) => Promise<void>;
  /** What whoever reads it has to say. */
  readonly options?: FilePersistenceOptions;
}

const values = valueSerializer();
const zipped: Serializer = {
  serialize: (value) => gzipSync(values.serialize(value)),
  deserialize: (bytes) => values.deserialize(gunzipSync(bytes)),
};

/**
 * The files in `recorded/`, by name. What is there stays as it is for ever, and so does its recipe: a
 * later version must read it. New ones are written by
 *
 *     ACACHE_RECORD=1 npx jest packages/persist-file/test/recorded-files
 *     npx prettier --write packages/persist-file/recorded
 */
export const recordings: Record<string, Recording> = {
  'kinds.acache': { write: (path) => record(path, everyKind) },
  'entries.acache': { write: (path) => record(path, everyEntry) },
  'superseded.acache': { write: (path) => record(path, overwriteMany) },
  'large.acache': { write: (path) => record(path, largeOnes) },
  'compressed.acache': {
    options: { serializer: zipped },
    write: (path) => record(path, largeOnes, { serializer: zipped }),
  },
  'empty.acache': {
    async write(path) {
      await record(path, async ({ persistence }) => {
        persistence.set('k', entryOf(1));
        await persistence.flush();
        persistence.clear();
      });
    },
  },
  'damaged-body.acache': {
    async write(path) {
      await record(path, overwriteMany);
      await harm(path, (bytes) => {
        // Newer values of some keys, whose older ones must not come back.
        bytes.subarray(-2500, -2400).fill(0xff);
      });
    },
  },
  'damaged-head.acache': {
    async write(path) {
      await record(path, everyKind);
      await harm(path, (bytes) => bytes.fill(0, 0, 4096));
    },
  },
  'cut-short.acache': {
    async write(path) {
      await record(path, overwriteMany);
      await harm(path, (bytes) => bytes.subarray(0, -1000));
    },
  },
  'torn.acache': { write: writeTorn },
  'set-back.acache': { write: writeSetBack },
  'newer.acache': {
    async write(path) {
      const bytes = Buffer.alloc(LOG_START, 'a later version');
      FILE_MAGIC.copy(bytes);
      bytes.writeUInt16LE(2, 8);
      await writeFile(path, bytes);
    },
  },
  'alien.acache': { write: (path) => writeFile(path, "another program's file\n".repeat(500)) },
};

/** Every kind of record: set, delete, clear, order; and what they end. */
async function everyKind(session: Session): Promise<void> {
  const { persistence } = session;
  persistence.set('cleared', entryOf('gone'));
  await persistence.flush();
  persistence.clear();
  for (const key of ['a', 'b', 'c', 'd']) persistence.set(key, entryOf(`${key} 1`));
  await persistence.flush();
  persistence.delete('b');
  persistence.set('c', entryOf('c 2'));
  persistence.set('e', entryOf('e 1'));
  await persistence.flush();
  session.order = () => ['e', 'c', 'a', 'd'];
}

/** Every part that an entry may have. */
async function everyEntry({ persistence }: Session): Promise<void> {
  const entries: Record<string, Partial<Entry>> = {
    'never expires': {},
    'fresh for a minute': { freshUntil: LATER },
    'stale while it is revalidated': { freshUntil: RECORDED_AT - 1, staleWhileRevalidate: MINUTE },
    'stale if the source fails': { freshUntil: RECORDED_AT - 1, staleIfError: 2 * MINUTE },
    'stale for ever': { freshUntil: RECORDED_AT - 1, staleIfError: Infinity },
    'both windows': { freshUntil: LATER, staleWhileRevalidate: MINUTE, staleIfError: MINUTE },
    'a weight': { weight: 12.5 },
    'a weight of 0': { weight: 0 },
    'windows and a weight': { freshUntil: LATER, staleIfError: MINUTE, weight: 3 },
    'one tag': { tags: ['user:1'] },
    'tags of every kind': { tags: ['', 'é€😀', '\ud800 alone', 'x'.repeat(300)] },
    'everything \udc00': {
      createdAt: RECORDED_AT - 1.5,
      freshUntil: LATER,
      staleWhileRevalidate: 0.5,
      staleIfError: Infinity,
      weight: 1,
      tags: ['a', '\udfff'],
    },
    '': {},
    'é€😀\0': {},
    '\ud800': {},
    'a clock that was ahead': { createdAt: LATER, freshUntil: LATER + MINUTE },
    dead: { createdAt: 1, freshUntil: RECORDED_AT },
    'dead with its window': { createdAt: 1, freshUntil: 2, staleIfError: 3 },
  };
  for (const [key, more] of Object.entries(entries)) {
    persistence.set(key, entryOf(`the value of ${key}`, { createdAt: RECORDED_AT - 1, ...more }));
  }
}

/** More keys than one block may supersede, some of them several times, and deletes among them. */
async function overwriteMany({ persistence }: Session): Promise<void> {
  for (let round = 1; round <= 3; round++) {
    for (let at = 0; at < 280; at++) {
      if (round === 3 && at % 5 === 0) persistence.delete(`k${at}`);
      else if (at % round === 0)
        persistence.set(`k${at}`, entryOf(round, { tags: [`t${at % 3}`] }));
    }
    await persistence.flush();
  }
}

/** Values that need a block of their own, and small ones between them. */
async function largeOnes({ persistence }: Session): Promise<void> {
  persistence.set('first', entryOf('small'));
  persistence.set('large', entryOf('0123456789'.repeat(6600)));
  persistence.set('second', entryOf({ deep: [1, { list: ['x'] }] }));
}

/** As a crash leaves it: what was flushed, and a part of what was being written. */
async function writeTorn(path: string): Promise<void> {
  const clock = fakeClock(RECORDED_AT);
  await create(path);
  const settings = { flushInterval: 100, fsyncInterval: '1h' } as const;
  const { persistence } = await openSession(path, settings, { clock });
  persistence.set('flushed', entryOf(1));
  persistence.set('changed', entryOf(1));
  await persistence.flush();
  const { size } = await stat(path);
  persistence.set('changed', entryOf(2));
  persistence.set('late', entryOf(1));
  void clock.advance(100);
  await until(async () => (await stat(path)).size > size);
  await copyFile(path, `${path}.torn`);
  await persistence.close();
  await copyFile(`${path}.torn`, path);
  await harm(path, (bytes) => bytes.subarray(0, -10));
}

/** As a clock leaves it that was set back between two lives, by nine minutes. */
async function writeSetBack(path: string): Promise<void> {
  const entry = entryOf('one minute left', { freshUntil: RECORDED_AT + 10 * MINUTE });
  await record(path, async ({ persistence }) => {
    persistence.set('before', entry);
    persistence.set('dead', { ...entry, freshUntil: RECORDED_AT + 8 * MINUTE });
    await persistence.flush();
  });
  for (const now of [RECORDED_AT + 9 * MINUTE, RECORDED_AT]) {
    const clock = fakeClock(now);
    const { persistence } = await openSession(path, { flushInterval: '1h' }, { clock });
    const freshUntil = now + MINUTE;
    persistence.set(`at ${now}`, entryOf('one minute left', { createdAt: now, freshUntil }));
    await persistence.close();
  }
}

async function record(
  path: string,
  change: (session: Session) => Promise<void>,
  options: FilePersistenceOptions = {},
): Promise<void> {
  await create(path);
  const clock = fakeClock(RECORDED_AT);
  const session = await openSession(path, { flushInterval: '1h', ...options }, { clock });
  await change(session);
  await session.persistence.close();
  if (session.errors.length > 0) throw session.errors[0];
}

/** A file that is always the same, where others have a random id. */
async function create(path: string): Promise<void> {
  const head = { fileId: Buffer.from('recorded'), generation: 0 };
  const handle = await open(path, 'wx+');
  const log = new LogFile(handle, head, LOG_START, emptyTail(), LOG_START);
  await log.sealTwice({ latest: RECORDED_AT, ahead: 0 });
  await log.close();
}

async function harm(
  path: string,
  change: (bytes: Buffer) => Buffer | undefined | void,
): Promise<void> {
  const bytes = await readFile(path);
  await writeFile(path, change(bytes) ?? bytes);
}

import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fakeClock } from '@acache/core/testing';
import { inspect } from '../src/inspect.js';
import { entryOf, inFolder, openSession, type Session } from './host.js';
import { RECORDED_AT, recordings } from './recordings.js';

const folder = join(__dirname, '..', 'recorded');
const names = Object.keys(recordings);
const isRecording = process.env.ACACHE_RECORD !== undefined;

/** By the name of a file, what must come out of it. Infinity is a text; large texts are told by a hash. */
type Expected = Record<string, unknown>;

const expectedFile = join(folder, 'expected.json');

beforeAll(async () => {
  if (!isRecording) return;
  await mkdir(folder, { recursive: true });
  const expected = await readExpected();
  for (const name of names) {
    if (expected[name] !== undefined) continue;
    const path = join(folder, name);
    await recordings[name]?.write(path);
    await rm(`${path}.torn`, { force: true });
    expected[name] = await readBack(name);
  }
  await writeFile(expectedFile, `${JSON.stringify(expected, undefined, 2)}\n`);
});

describe('files recorded by version 1 of the format', () => {
  it('are all here', async () => {
    expect(Object.keys(await readExpected())).toEqual(names);
    expect((await readdir(folder)).sort()).toEqual([...names, 'expected.json'].sort());
  });

  it('are not published', () => {
    const { files } = JSON.parse(readFileSync(join(folder, '..', 'package.json'), 'utf8')) as {
      files: string[];
    };
    expect(files.filter((name) => !name.startsWith('!'))).toEqual(['dist', 'src', 'FORMAT.md']);
  });

  it.each(names)('are read: %s', async (name) => {
    expect(await readBack(name)).toEqual((await readExpected())[name]);
  });

  it.each(names)('are written on: %s', (name) =>
    inFolder(async (folder) => {
      const before = await openCopy(name, folder);
      const entries = entriesOf(before);
      before.persistence.set('added', entryOf('today'));
      await before.persistence.close();
      const after = await openSession(join(folder, name), recordings[name]?.options, {
        clock: fakeClock(RECORDED_AT),
      });
      const [added] = entriesOf(after).filter(({ key }) => key === 'added');
      expect(added).toMatchObject({ value: 'today' });
      expect(entriesOf(after).filter(({ key }) => key !== 'added')).toEqual(entries);
      expect(after.errors).toEqual([]);
      await after.persistence.close();
    }),
  );
});

async function readExpected(): Promise<Expected> {
  const text = await readFile(expectedFile, 'utf8').catch(() => '{}');
  return JSON.parse(text) as Expected;
}

/** What comes out of a file, as the JSON tells it. */
function readBack(name: string): Promise<unknown> {
  return inFolder(async (folder) => {
    const path = join(folder, name);
    await copyFile(pathOf(name), path);
    const inspected = await inspect(path, RECORDED_AT).then(
      ({ path: _, ...found }) => found,
      (error: unknown) => (error as Error).message.replace(path, name),
    );
    const session = await openCopy(name, folder);
    const codes = session.errors.map((error) => (error as { code: string }).code);
    const aside = (await readdir(folder)).filter((found) => found.includes('.bad-'));
    const read = { entries: entriesOf(session), codes, aside, inspected };
    await session.persistence.close();
    return JSON.parse(JSON.stringify(read)) as unknown;
  });
}

async function openCopy(name: string, folder: string): Promise<Session> {
  await copyFile(pathOf(name), join(folder, name));
  const options = { flushInterval: '1h', ...recordings[name]?.options } as const;
  return openSession(join(folder, name), options, { clock: fakeClock(RECORDED_AT) });
}

function pathOf(name: string): string {
  return join(folder, name);
}

/** In their order; of each, what is not as `entryOf` has it. */
function entriesOf({ restored }: Session): ({ key: string } & Record<string, unknown>)[] {
  const usual = entryOf(undefined);
  return [...restored].map(([key, entry]) => {
    const told: { key: string } & Record<string, unknown> = { key, value: short(entry.value) };
    for (const name of [
      'createdAt',
      'freshUntil',
      'staleWhileRevalidate',
      'staleIfError',
      'weight',
    ] as const) {
      const found = entry[name];
      if (found !== usual[name]) told[name] = Number.isFinite(found) ? found : String(found);
    }
    if (entry.tags.length > 0) told.tags = entry.tags.map(short);
    return told;
  });
}

function short(value: unknown): unknown {
  if (typeof value !== 'string' || value.length < 100) return value;
  return { length: value.length, sha1: createHash('sha1').update(value).digest('hex') };
}

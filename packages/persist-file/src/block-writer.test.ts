import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { fakeClock } from '@acache/core/testing';
import { entryOf, inFolder } from '../test/host.js';
import { FileClock } from './file-clock.js';
import { BlockWriter } from './block-writer.js';
import { readLog } from './log-reader.js';
import { emptyTail } from './log-tail.js';
import { keyOf, Kind, KIND_AT } from './record.js';
import { RestoredEntry } from './restored-entry.js';
import { MOST_SUPERSEDED } from './superseded.js';

const clock = new FileClock(fakeClock());
const fileId = Buffer.from('abcdefgh');
const serializer = {
  serialize: (value: unknown) => value as Uint8Array,
  deserialize: (bytes: Uint8Array) => bytes,
};

interface Read {
  readonly seq: number;
  readonly records: { kind: number; key: string; entry: RestoredEntry }[];
  readonly superseded: number;
}

async function read(bytes: Buffer): Promise<Read[]> {
  return inFolder(async (folder) => {
    const path = join(folder, 'log');
    await writeFile(path, bytes);
    const handle = await open(path, 'r');
    const blocks: Read[] = [];
    try {
      for await (const found of readLog({ handle, fileId, from: 0, to: bytes.length })) {
        if (found.kind !== 'block' || !found.whole) throw new Error('it is damaged');
        const { header, bytes, view } = found;
        const records: Read['records'] = [];
        let at = found.bodyAt;
        for (let record = 0; record < header.records; record++) {
          const length = view.getUint32(at, true);
          const entry = new RestoredEntry({ bytes, view, serializer }, at, 0);
          records.push({ kind: bytes[at + KIND_AT] as number, key: keyOf(bytes, view, at), entry });
          at += length;
        }
        const own = found.lists()?.find(({ seq }) => seq === header.seq);
        blocks.push({ seq: header.seq, records, superseded: own?.hashes.length ?? 0 });
      }
    } finally {
      await handle.close();
    }
    return blocks;
  });
}

describe('BlockWriter', () => {
  it('writes entries that are read as they were, whatever their texts and numbers', async () => {
    const text = fc.string({
      unit: fc.oneof(fc.string(), fc.constantFrom('\ud800', '\udc00', 'ü', '😀')),
    });
    const time = fc.oneof(fc.double({ min: 0, noNaN: true }), fc.constant(Infinity));
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.array(text, { maxLength: 4 }),
        fc.uint8Array({ maxLength: 300 }),
        fc.record({ freshUntil: time, staleWhileRevalidate: time, staleIfError: time }),
        fc.option(fc.double({ noNaN: true }), { nil: undefined }),
        async (key, tags, value, times, weight) => {
          const entry = {
            ...entryOf(value, times),
            tags,
            ...(weight === undefined ? {} : { weight }),
          };
          const writer = new BlockWriter(fileId, emptyTail(), clock, 16);
          writer.set(key, entry, value, false);
          const [block] = await read(writer.finish().bytes);
          const [record] = block?.records ?? [];
          expect(record?.key).toBe(key);
          const { createdAt, freshUntil, staleWhileRevalidate, staleIfError } =
            record?.entry ?? entry;
          expect({ createdAt, freshUntil, staleWhileRevalidate, staleIfError }).toEqual({
            createdAt: entry.createdAt,
            ...times,
          });
          expect(record?.entry.tags).toEqual(tags);
          expect(record?.entry.weight).toBe(weight);
          expect(new Uint8Array(record?.entry.value as Uint8Array)).toEqual(value);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('ends a block when it is full, or supersedes as much as a block may', async () => {
    const writer = new BlockWriter(fileId, emptyTail(), clock);
    for (let at = 0; at < 2 * MOST_SUPERSEDED + 1; at++) writer.delete(`k${at}`);
    for (let at = 0; at < 3; at++) writer.set('large', entryOf(0), new Uint8Array(40_000), false);
    const blocks = await read(writer.finish().bytes);
    expect(blocks.map(({ seq, records, superseded }) => [seq, records.length, superseded])).toEqual(
      [
        [0, MOST_SUPERSEDED, MOST_SUPERSEDED],
        [1, MOST_SUPERSEDED, MOST_SUPERSEDED],
        [2, 2, 1],
        [3, 1, 0],
        [4, 1, 0],
      ],
    );
    expect(blocks[0]?.records[0]?.kind).toBe(Kind.Delete);
  });

  it('refuses more tags than there is room for, and writes nothing of it', () => {
    const writer = new BlockWriter(fileId, emptyTail(), clock);
    const tags = new Array<string>(70_000).fill('t');
    expect(() => writer.set('k', entryOf(1, { tags }), new Uint8Array(1), true)).toThrow(
      /may have 65535 tags, got 70000/,
    );
    expect(writer.finish().bytes.length).toBe(0);
  });

  it('writes nothing of a record whose value is gone when it is copied', async () => {
    const gone = new Uint8Array(8);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    const writer = new BlockWriter(fileId, emptyTail(), clock);
    const value = Buffer.from('value');
    const fail = (): unknown => writer.set('bad', entryOf(1), gone, true);
    expect(fail).toThrow('detached');
    writer.set('a', entryOf(1), value, false);
    expect(fail).toThrow('detached');
    writer.set('b', entryOf(1), value, false);
    const [block] = await read(writer.finish().bytes);
    expect(block?.records.map(({ key }) => key)).toEqual(['a', 'b']);
    expect(block?.superseded).toBe(0);
    const empty = new BlockWriter(fileId, emptyTail(), clock);
    expect(() => empty.set('bad', entryOf(1), gone, true)).toThrow('detached');
    expect(empty.finish().bytes).toHaveLength(0);
  });
});

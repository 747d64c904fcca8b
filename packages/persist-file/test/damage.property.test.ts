import { existsSync } from 'node:fs';
import { copyFile, open, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { BLOCK_MAGIC, blockLength, readBlockHeader } from '../src/block-header.js';
import { findHead, LOG_START } from '../src/file-head.js';
import { entryOf, inFolder, openSession } from './host.js';

type Op =
  | { readonly kind: 'set'; readonly key: number; readonly size: number }
  | { readonly kind: 'delete'; readonly key: number }
  | { readonly kind: 'clear' }
  | { readonly kind: 'flush' }
  | { readonly kind: 'reopen' };

type Harm =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'hole'; readonly at: number; readonly length: number }
  | { readonly kind: 'garbage'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly at: number };

/** `ACACHE_RUNS=1000` for a long run. */
const RUNS = Number(process.env.ACACHE_RUNS ?? 25);
const KEYS = 40;
const key = fc.nat({ max: KEYS - 1 });
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 40,
    arbitrary: fc.record({ kind: fc.constant('set' as const), key, size: fc.nat(1500) }),
  },
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'clear' as const }) },
  { weight: 12, arbitrary: fc.constant({ kind: 'flush' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
);
const at = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const harm: fc.Arbitrary<Harm> = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at, bit: fc.nat(7) }),
  fc.record({ kind: fc.constant('hole' as const), at, length: fc.constantFrom(1, 512, 4096) }),
  fc.record({
    kind: fc.constant('garbage' as const),
    at,
    bytes: fc.uint8Array({ minLength: 1, maxLength: 4096 }),
  }),
  fc.record({ kind: fc.constant('truncate' as const), at }),
);

/** Runs the operations and gives what the cache held at the end, all of it acknowledged. */
async function write(
  file: string,
  ops: readonly Op[],
  isClosed: boolean,
): Promise<Map<string, number>> {
  const model = new Map<string, number>();
  const settings = { leastToCompact: Infinity };
  let session = await openSession(file, { fsyncInterval: false, flushInterval: '1h' }, settings);
  let number = 0;
  for (const op of ops) {
    if (op.kind === 'flush') await session.persistence.flush();
    else if (op.kind === 'clear') {
      session.persistence.clear();
      model.clear();
    } else if (op.kind === 'delete') {
      session.persistence.delete(`k${op.key}`);
      model.delete(`k${op.key}`);
    } else if (op.kind === 'set') {
      number++;
      session.persistence.set(`k${op.key}`, entryOf({ number, text: 'x'.repeat(op.size) }));
      model.set(`k${op.key}`, number);
    } else {
      await session.persistence.close();
      session = await openSession(file, { fsyncInterval: false, flushInterval: '1h' }, settings);
    }
  }
  await session.persistence.flush();
  if (!isClosed) await copyFile(file, `${file}.copy`);
  await session.persistence.close();
  if (!isClosed) await copyFile(`${file}.copy`, file);
  return model;
}

async function harmFile(file: string, harm: Harm): Promise<{ from: number; to: number }> {
  const { size } = await stat(file);
  const from = Math.floor(harm.at * size);
  if (harm.kind === 'truncate') {
    await truncate(file, from);
    return { from, to: size };
  }
  const handle = await open(file, 'r+');
  try {
    let bytes: Uint8Array;
    if (harm.kind === 'flip') {
      bytes = Buffer.alloc(1);
      await handle.read(bytes, 0, 1, from);
      bytes[0] = (bytes[0] ?? 0) ^ (1 << harm.bit);
    } else {
      const wanted = harm.kind === 'hole' ? new Uint8Array(harm.length) : harm.bytes;
      bytes = wanted.subarray(0, size - from);
    }
    await handle.write(bytes, 0, bytes.length, from);
    return { from, to: from + bytes.length };
  } finally {
    await handle.close();
  }
}

/** Keys of which the newest record lies in a block that was hit, by reading the file before. */
async function blocksOf(file: string): Promise<{ from: number; to: number; records: number }[]> {
  const bytes = await readFile(file);
  const found = findHead(bytes.subarray(0, LOG_START));
  if (found.kind !== 'ours') throw new Error('no head');
  const blocks: { from: number; to: number; records: number }[] = [];
  for (let at = LOG_START; at < bytes.length;) {
    expect(bytes.subarray(at, at + 4)).toEqual(BLOCK_MAGIC);
    const header = readBlockHeader(bytes, at, found.head.fileId);
    if (header === undefined) throw new Error('no block');
    blocks.push({ from: at, to: at + blockLength(header), records: header.records });
    at += blockLength(header);
  }
  return blocks;
}

describe('a damaged file', () => {
  it.each([
    ['after a close', true],
    ['after a flush, as a crash leaves it', false],
  ])(
    'gives back nothing that is wrong, old or deleted, and loses what was hit only (%s)',
    async (_, isClosed) => {
      await inFolder(async (folder) => {
        let run = 0;
        await fc.assert(
          fc.asyncProperty(
            fc.array(op, { minLength: 5, maxLength: 120 }),
            fc.array(harm, { minLength: 1, maxLength: 8 }),
            async (ops, harms) => {
              const file = join(folder, `cache-${run++}`);
              const model = await write(file, ops, isClosed);
              // Where nothing was set, nothing was written.
              fc.pre(existsSync(file));
              const whole = await readFile(file);
              const blocks = await blocksOf(file);
              for (const harm of harms) {
                await writeFile(file, whole);
                const { from, to } = await harmFile(file, harm);
                const session = await openSession(file, { flushInterval: '1h' });
                for (const [key, entry] of session.restored) {
                  const { number } = entry.value as { number: number };
                  expect([key, number]).toEqual([key, model.get(key)]);
                }
                const isHarmed = !whole.equals(await readFile(file).catch(() => Buffer.alloc(0)));
                const hit = blocks.filter((block) => block.from < to && from < block.to);
                const most = hit.reduce((sum, { records }) => sum + records, 0);
                const lost = model.size - session.restored.size;
                if (harm.kind !== 'truncate') expect(lost).toBeLessThanOrEqual(most);
                // An empty file is simply a new one.
                const isEmptied = harm.kind === 'truncate' && from === 0;
                if (lost > 0 && !isEmptied) expect(session.errors.length).toBeGreaterThan(0);
                if (!isHarmed) expect(lost).toBe(0);
                // It can be written again, and says so no second time.
                session.persistence.set('after', entryOf({ number: -1 }));
                await session.persistence.flush();
                await session.persistence.close();
                const next = await openSession(file);
                expect(next.errors).toEqual([]);
                expect(next.restored.size).toBe(session.restored.size + 1);
                await next.persistence.close();
              }
            },
          ),
          { numRuns: RUNS },
        );
      });
    },
    60_000 + RUNS * 2000,
  );
});

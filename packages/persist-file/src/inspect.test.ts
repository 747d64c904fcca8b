import { execFileSync } from 'node:child_process';
import { open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fakeClock } from '@acache/core/testing';
import { entryOf, inFolder, openSession } from '../test/host.js';
import { runCommand } from './command.js';
import { LOG_START } from './file-head.js';
import { inspect } from './inspect.js';

async function run(...args: string[]): Promise<{ code: number; out: string; error: string }> {
  const said = { out: '', error: '' };
  const code = await runCommand(args, {
    out: (text) => (said.out += text),
    error: (text) => (said.error += text),
  });
  return { code, ...said };
}

async function fill(path: string): Promise<void> {
  const { persistence } = await openSession(path);
  persistence.set('a', entryOf(1, { tags: ['x', 'y'] }));
  persistence.set('b', entryOf(2, { tags: ['x'] }));
  persistence.set('dead', entryOf(3, { createdAt: 1, freshUntil: 2 }));
  await persistence.flush();
  persistence.set('a', entryOf(4, { tags: ['x', 'y'], createdAt: 1_600_000_000_000 }));
  await persistence.close();
}

describe('inspect', () => {
  it('tells what is in a file and changes nothing', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      await fill(path);
      const before = await readFile(path);
      expect(await inspect(path)).toMatchObject({
        version: 1,
        bytes: before.length,
        entries: { live: 2, expired: 1 },
        tags: { x: 2, y: 1 },
        oldest: 1_600_000_000_000,
        newest: 1_700_000_000_000,
        damage: [],
        lostBlocks: 0,
        dropped: 0,
        torn: 0,
        lockedBy: null,
        space: { damaged: 0 },
      });
      const { code, out } = await run('inspect', path);
      expect(code).toBe(0);
      expect(out).toContain('entries   2 live, 1 expired');
      expect(out).toContain('tags      "x" 2, "y" 1');
      expect((await readFile(path)).equals(before)).toBe(true);
      expect(await readdir(folder)).toEqual(['cache']);
    }));

  it('tells of damage, as the exit code too, and who has the file', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      await fill(path);
      const bytes = await readFile(path);
      bytes[LOG_START + 90] = (bytes[LOG_START + 90] as number) ^ 1;
      await writeFile(path, bytes);
      const { code, out } = await run('inspect', path, '--json');
      expect(code).toBe(1);
      expect(JSON.parse(out)).toMatchObject({
        entries: { live: 1, expired: 0 },
        damage: [{ kind: 'block', offset: LOG_START }],
        lostBlocks: 1,
      });
      const session = await openSession(path);
      expect((await inspect(path)).lockedBy).toMatchObject({ pid: process.pid });
      await session.persistence.close();
    }));

  it('tells of a clock that was set back, and judges by what the file has seen', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const at = 1_700_000_000_000;
      for (const now of [at, at - 60_000]) {
        const { persistence } = await openSession(path, {}, { clock: fakeClock(now) });
        const entry = { createdAt: now, freshUntil: now + 30_000 };
        persistence.set(`at ${now}`, entryOf(1, entry));
        await persistence.close();
      }
      expect(await inspect(path, at - 90_000)).toMatchObject({
        time: { latest: at - 60_000, setBack: 60_000 },
        entries: { live: 2 },
        newest: at - 90_000,
      });
      expect(await inspect(path, at)).toMatchObject({ entries: { expired: 2 } });
      const { out } = await run('inspect', path);
      expect(out).toContain('written   2023-11-14T22:12:20.000Z, by a clock that was set back by');
    }));

  it('cannot read what is none of ours', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'file');
      await writeFile(path, 'text');
      expect(await run('inspect', path)).toMatchObject({ code: 2, out: '' });
      expect((await run('inspect', folder)).error).toContain('is not a file');
      expect((await run('inspect', join(folder, 'none'))).error).toContain('ENOENT');
      expect((await run()).code).toBe(2);
      expect((await run('--help')).code).toBe(0);
    }));

  it('does not wait for what comes out of a FIFO', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'fifo');
      execFileSync('mkfifo', [path, join(folder, 'cache.lock')]);
      expect(await run('inspect', path)).toMatchObject({
        code: 2,
        error: expect.stringContaining('is not a file'),
      });
      await fill(join(folder, 'full'));
      await writeFile(join(folder, 'cache'), await readFile(join(folder, 'full')));
      expect((await run('inspect', join(folder, 'cache'))).code).toBe(0);
    }));

  it('says what the system says when a read fails', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      await fill(path);
      const handle = await open(path);
      await handle.close();
      const handles = Object.getPrototypeOf(handle) as typeof handle;
      const read = jest.spyOn(handles, 'read');
      try {
        read.mockRejectedValue(Object.assign(new Error('of the disk'), { code: 'EIO' }));
        const { code, out, error } = await run('inspect', path, '--json');
        expect([code, out]).toEqual([2, '']);
        expect(JSON.parse(error)).toEqual({ error: `'${path}' cannot be read: EIO` });
      } finally {
        read.mockRestore();
      }
    }));

  it('takes its options anywhere, files that begin with a dash, and nothing else', () =>
    inFolder(async (folder) => {
      const before = process.cwd();
      process.chdir(folder);
      try {
        await fill(join(folder, '--json'));
        expect((await run('inspect', '--', '--json')).out).toContain('2 live');
        expect(JSON.parse((await run('inspect', '--json', '--', '--json')).out)).toMatchObject({
          entries: { live: 2 },
        });
      } finally {
        process.chdir(before);
      }
      for (const args of [['inspect', '--help'], ['inspect', 'x', '-h'], ['help']]) {
        expect(await run(...args)).toMatchObject({
          code: 0,
          out: expect.stringContaining('usage:'),
        });
      }
      for (const args of [['inspect', '--all', 'x'], ['inspect', 'x', 'y'], ['inspect']]) {
        expect(await run(...args)).toMatchObject({
          code: 2,
          error: expect.stringContaining('usage:'),
        });
      }
    }));
});

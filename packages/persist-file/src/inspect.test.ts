import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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
      bytes[LOG_START + 70] = (bytes[LOG_START + 70] as number) ^ 1;
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
});

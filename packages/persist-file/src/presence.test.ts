import { connect } from 'node:net';
import { copyFile, lstat, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { inFolder } from '../test/host.js';
import { Presence, vitalityAt } from './presence.js';

const hasSockets = process.platform === 'linux';
if (!hasSockets) console.warn('Not tested: proofs of life. They need Linux.');

async function show(path: string): Promise<Presence> {
  const presence = await Presence.show(path, randomUUID());
  if (presence === undefined) throw new Error('no sockets here');
  return presence;
}

(hasSockets ? describe : describe.skip)('Presence', () => {
  it('is proved while it is shown, and leaves nothing behind', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'socket');
      const presence = await show(path);
      expect(await readdir(folder)).toEqual(['socket']);
      expect((await lstat(path)).mode & 0o777).toBe(0o600);
      expect(await vitalityAt(path, presence.mark)).toBe('alive');
      await presence.withdraw();
      expect(await readdir(folder)).toEqual([]);
    }));

  it('hangs up on whoever comes and sends', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'socket');
      const presence = await show(path);
      await new Promise((resolve) => {
        const visitor = connect(path);
        visitor.on('error', () => undefined);
        visitor.on('close', resolve);
        visitor.write(Buffer.alloc(1_000_000));
      });
      expect(await vitalityAt(path, presence.mark)).toBe('alive');
      await presence.withdraw();
    }));

  it('is dead when its socket refuses', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'socket');
      const presence = await show(path);
      await rename(path, join(folder, 'kept'));
      await presence.withdraw();
      await rename(join(folder, 'kept'), path);
      expect(await vitalityAt(path, presence.mark)).toBe('dead');
    }));

  it('is unknown when its socket is gone, another one, none, or was seen elsewhere', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'socket');
      const presence = await show(path);
      const { device, ino } = presence.mark;
      expect(await vitalityAt(path, { device: device + 1, ino })).toBe('unknown');
      expect(await vitalityAt(path, { device, ino: ino + 1 })).toBe('unknown');
      await rm(path);
      expect(await vitalityAt(path, presence.mark)).toBe('unknown');
      await writeFile(path, '');
      const { ino: fileIno } = await lstat(path);
      expect(await vitalityAt(path, { device, ino: fileIno })).toBe('unknown');
      await copyFile(path, join(folder, 'other'));
      await presence.withdraw();
    }));

  it('is not shown where it cannot be', () =>
    inFolder(async (folder) => {
      expect(await Presence.show(join(folder, 'n'.repeat(256)), randomUUID())).toBeUndefined();
      expect(await Presence.show(join(folder, 'none', 'socket'), randomUUID())).toBeUndefined();
      expect(await readdir(folder)).toEqual([]);
    }));
});

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const manifest = { name: 'root', devDependencies: { nx: '1.0.0' } };
const complete = {
  '': manifest,
  'node_modules/nx': {
    version: '1.0.0',
    optionalDependencies: { '@nx/linux': '1.0.0', '@nx/darwin': '1.0.0' },
    peerDependencies: { rare: '*' },
    peerDependenciesMeta: { rare: { optional: true } },
  },
  'node_modules/nx/node_modules/@nx/linux': { version: '1.0.0', optional: true },
  'node_modules/@nx/darwin': { version: '1.0.0', optional: true },
};

describe('check-lock', () => {
  const root = mkdtempSync(join(tmpdir(), 'acache-lock-'));
  afterAll(() => {
    rmSync(root, { recursive: true });
  });

  /** What the check prints about a lock file of these entries. */
  const check = (entries: Record<string, object | undefined>): string => {
    mkdirSync(join(root, 'tools'), { recursive: true });
    writeFileSync(join(root, 'package.json'), JSON.stringify(manifest));
    writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: entries }));
    const script = join(__dirname, 'check-lock.mjs');
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, root], {
      encoding: 'utf8',
    });
    expect(status).toBe(stderr === '' ? 0 : 1);
    return stdout + stderr;
  };

  it('is content with a lock file that has everything', () => {
    expect(check(complete)).toBe('check-lock: 1 lock files are complete\n');
  });

  it('finds a platform package that the registry did not have', () => {
    expect(check({ ...complete, 'node_modules/@nx/darwin': undefined })).toContain(
      'package-lock.json: node_modules/nx needs @nx/darwin, which has no entry',
    );
  });

  it('finds an entry that names a registry', () => {
    const resolved = { version: '1.0.0', resolved: 'https://registry.example/nx.tgz' };
    expect(check({ ...complete, 'node_modules/@nx/darwin': resolved })).toContain(
      'node_modules/@nx/darwin names a registry',
    );
  });

  it('finds a package.json that has moved on', () => {
    const before = { name: 'root', devDependencies: { nx: '0.9.0' } };
    expect(check({ ...complete, '': before })).toContain(
      'root: devDependencies differ from package.json',
    );
  });
});

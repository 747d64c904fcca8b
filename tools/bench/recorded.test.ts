import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '../..');

/** What the check says of the bench in that root. */
function check(folder: string): { status: number | null; stderr: string } {
  const script = join(folder, 'tools/bench/recorded.mjs');
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  return { status, stderr };
}

describe('the recorded benchmark', () => {
  const copy = mkdtempSync(join(tmpdir(), 'acache-recorded-'));
  afterAll(() => rmSync(copy, { recursive: true }));

  /** A copy of what the check reads, with another text in one of its files. */
  const changed = (file: string, from: string | RegExp, to: string): string => {
    const folder = mkdtempSync(join(copy, 'root-'));
    mkdirSync(join(folder, 'tools/bench'), { recursive: true });
    for (const name of ['README.md', 'tools/bench/recorded.mjs']) {
      cpSync(join(root, name), join(folder, name));
    }
    for (const name of ['lib', 'cases', 'report']) {
      cpSync(join(__dirname, name), join(folder, 'tools/bench', name), { recursive: true });
    }
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    const text = readFileSync(join(folder, file), 'utf8');
    expect(text).toMatch(from);
    writeFileSync(join(folder, file), text.replace(from, to));
    return folder;
  };

  it('is what the README and the report say', () => {
    expect(check(root)).toEqual({ status: 0, stderr: '' });
  });

  it('shows that a figure in the README was changed by hand', () => {
    const folder = changed('README.md', /(bench:start[^]*?acache[^]*?\d\.)\d\d/, '$199');
    expect(check(folder)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('README.md is not'),
    });
  });

  it('shows that a row of the report was left out', () => {
    const folder = changed('tools/bench/report/report.md', /\n\| hit .*/, '');
    expect(check(folder)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('report.md is not'),
    });
  });

  it('shows that new figures were not written down', () => {
    const folder = changed(
      'tools/bench/report/figures.json',
      /"date":"[\d-]+"/g,
      '"date":"2031-01-01"',
    );
    expect(check(folder).stderr.trim().split('\n')).toHaveLength(2);
  });
});

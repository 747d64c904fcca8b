import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { runCommand } from './command.js';
import type { Simulation } from './simulate.js';

const folder = mkdtempSync(join(tmpdir(), 'simulate-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** 3000 accesses to 97 keys, the lower ones more often. */
const ids = Array.from(
  { length: 3000 },
  (_, at) => (at * 7 + Math.floor(at / 13)) % (1 + (at % 100)),
);
const keys = ids.map((id) => `key ${id}`);

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function bytesOf(numbers: readonly number[]): Buffer {
  return Buffer.from(Uint32Array.from(numbers).buffer);
}

async function run(...args: string[]) {
  return runWith(require, ...args);
}

async function runWith(find: NodeJS.Require, ...args: string[]) {
  const out: string[] = [];
  const errors: string[] = [];
  const code = await runCommand(args, {
    out: (text) => void out.push(text),
    error: (text) => errors.push(text),
    require: find,
  });
  return { code, out: out.join('\n'), error: errors.join('\n') };
}

async function found(...args: string[]): Promise<Simulation> {
  const { code, error, out } = await run(...args, '--sizes', '30', '--json');
  expect({ code, error }).toEqual({ code: 0, error: '' });
  return JSON.parse(out) as Simulation;
}

describe('simulate', () => {
  it('reads every kind of log, and says the same of each', async () => {
    const lines = await found(file('log.txt', `${keys.join('\n')}\n`));
    expect(lines).toMatchObject({ accesses: 3000, keys: 97, rate: 1 });
    const header = `time,key\n${keys.map((key, at) => `${at},"${key}"`).join('\n')}`;
    const logs = [
      [file('crlf.log', keys.join('\r\n'))],
      [file('log.gz', gzipSync(keys.join('\n')))],
      [file('log.csv', header), '--column', 'key'],
      [
        file('odd.name', keys.map((key) => `x,${key}`).join('\n')),
        '--format',
        'csv',
        '--column',
        '2',
      ],
      [file('log.csv.gz', gzipSync(header)), '--column', 'key'],
    ];
    for (const args of logs) expect(await found(...args)).toEqual(lines);
    const numbers = await found(file('log.u32', bytesOf(ids)));
    expect(numbers).toMatchObject({ accesses: 3000, keys: 97, reachable: lines.reachable });
    expect(await found(file('log.u32.gz', gzipSync(bytesOf(ids))))).toEqual(numbers);
  });

  it('prints a table, and what is enough', async () => {
    const { out } = await run(file('log.txt', keys.join('\n')), '--sizes', '20,50');
    expect(out).toMatch(
      /^3,000 accesses to 97 keys; a cache that keeps everything serves 96\.77 %/,
    );
    expect(out).toMatch(/maxSize +lru +tinylfu +optimum\n +20 .*\n +50 /);
    expect(out).toMatch(
      /90 % of what is reachable, 87\.09 %, needs maxSize: \d+ with policy: '\w+'$/,
    );
  });

  it('says so when it replays a part only', async () => {
    const { out } = await run(file('log.txt', keys.join('\n')), '--most', '1000');
    expect(out).toContain('accesses to about');
    expect(out).toMatch(/sampled: one key in \d+ was replayed/);
  });

  it('draws', async () => {
    const plot = join(folder, 'plot.svg');
    await run(file('<log> & co', keys.join('\n')), '--plot', plot);
    const svg = readFileSync(plot, 'utf8');
    expect(svg).toMatch(/^<svg xmlns/);
    for (const name of ['lru', 'tinylfu', 'optimum', '90 %']) expect(svg).toContain(name);
    expect(svg).toContain('&#60;log&#62; &#38; co');
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('draws as PNG, also twice in a process', async () => {
    const log = file('png.txt', keys.join('\n'));
    for (const name of ['one.png', 'two.png']) {
      const plot = join(folder, name);
      expect(await run(log, '--plot', plot)).toMatchObject({ code: 0, error: '' });
      const png = readFileSync(plot);
      expect(png.subarray(1, 4).toString()).toBe('PNG');
      const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
      expect({ width, height }).toEqual({ width: 1600, height: 960 });
    }
  });

  it('says what to install for a PNG', async () => {
    const elsewhere = createRequire(join(folder, 'cli.js'));
    const plot = join(folder, 'none.png');
    const { code, error } = await runWith(
      elsewhere,
      file('peers.txt', keys.join('\n')),
      '--plot',
      plot,
    );
    expect(code).toBe(2);
    expect(error).toContain('npm install @resvg/resvg-wasm @fontsource/roboto');
    expect(existsSync(plot)).toBe(false);
  });

  it('fails where nobody gets what it found', async () => {
    const errors: string[] = [];
    const output = {
      out: () => Promise.reject(new Error('ENOSPC: no space left on device')),
      error: (text: string) => errors.push(text),
      require,
    };
    expect(await runCommand([file('unread.txt', keys.join('\n'))], output)).toBe(2);
    expect(await runCommand(['--help'], output)).toBe(2);
    expect(new Set(errors)).toEqual(
      new Set(['cannot write to standard output: ENOSPC: no space left on device']),
    );
  });

  it('helps', async () => {
    expect(await run('--help')).toMatchObject({ code: 0, out: expect.stringMatching(/^usage: /) });
  });

  it.each<[string, () => string[]]>([
    ['expected one log, got 0', () => []],
    ['expected one log, got 2', () => ['a', 'b']],
    ["there is no file '/nowhere/log'", () => ['/nowhere/log']],
    ['is a directory', () => [folder]],
    ['holds no keys', () => [file('empty', '\n\n')]],
    ['--format must be lines, csv, u32', () => ['a', '--format', 'xml']],
    ['--sizes must be whole numbers of at least 1', () => ['a', '--sizes', '10,x']],
    ['--most must be whole numbers of at least 1000', () => ['a', '--most', '']],
    ['--plot must be a file named .svg or .png', () => ['a', '--plot', 'x.gif']],
    [
      "has no column 'key'; its columns are 'a', 'b'",
      () => [file('a.csv', 'a,b\n1,2'), '--column', 'key'],
    ],
    ['line 3 of', () => [file('b.csv', 'a,b\n1,2\n3\n'), '--column', 'b']],
    ['is no CSV: ', () => [file('c.csv', 'a,b\n1,"2\n'), '--column', 'b']],
    ['line 2 of', () => [file('long', `a\n${'x'.repeat(70_000)}\n`)]],
    ['ends within a number', () => [file('d.u32', Buffer.alloc(7))]],
    ['is zstd-compressed', () => [file('e', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 1, 2]))]],
    [
      'cannot read',
      () => [file('f.gz', Buffer.concat([gzipSync(keys.join('\n')).subarray(0, 50)]))],
    ],
    // Found out before the log is read, which takes long.
    ["cannot write '/nowhere/x.svg': ENOENT", () => ['no log', '--plot', '/nowhere/x.svg']],
    [
      "folder.svg': it is a folder",
      () => {
        const plot = join(folder, 'folder.svg');
        mkdirSync(plot);
        return ['no log', '--plot', plot];
      },
    ],
    ["Unknown option '--color'", () => ['a', '--color']],
  ])('says what is wrong: %s', async (message, args) => {
    const { code, error, out } = await run(...args());
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(error).toContain(message);
  });
});

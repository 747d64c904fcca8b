import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';

const example = join(__dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'web-trace-demo-'));

jest.setTimeout(120_000);

beforeAll(async () => {
  const tsc = require.resolve('typescript/bin/tsc');
  await promisify(execFile)(process.execPath, [tsc, '-b', 'tsconfig.build.json'], { cwd: example });
});
afterAll(() => rmSync(folder, { recursive: true }));

function start(...args: string[]): ChildProcess {
  // INIT_CWD is where npm was called: file names count from there.
  const env = { ...process.env, INIT_CWD: folder };
  return spawn(process.execPath, [join(example, 'dist/demo.js'), ...args], { env });
}

async function run(...args: string[]) {
  const child = start(...args);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    once(child, 'close'),
  ]);
  return { stdout, stderr, code };
}

/** The numbers of a row of the table: without the cache, and through it. */
function row(stdout: string, label: string): (number | undefined)[] {
  const line = stdout.split('\n').find((each) => new RegExp(`^│ +${label} `).test(each)) ?? '';
  const cells = line.split('│').slice(2, 4);
  return cells.map((cell) => {
    const digits = /[\d,.]+/.exec(cell)?.[0].replaceAll(',', '');
    return digits === undefined ? undefined : Number(digits);
  });
}

describe('the demo', () => {
  it('plays the recorded trace: one at a time, every miss is one query', async () => {
    const { stdout, stderr, code } = await run('--requests', '1000', '--concurrency', '1');
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout).toContain('web12.u32.gz: the first 1,000 requests');
    expect(stdout).toContain('Through AsyncCache 100 %');

    const [, hits] = row(stdout, 'hits');
    const [, misses] = row(stdout, 'misses');
    expect(row(stdout, 'requests')).toEqual([1000, 1000]);
    expect(hits! + misses!).toBe(1000);
    expect(row(stdout, 'of them joined a load')).toEqual([undefined, 0]);
    expect(row(stdout, 'database queries')).toEqual([1000, misses]);
    expect(row(stdout, 'queries saved')).toEqual([undefined, hits]);
    expect(stdout).toMatch(/without cache +100 queries/);
    expect(stdout).toMatch(/through AsyncCache +1 query/);
  });

  it("plays a trace of one's own, whatever its keys: those who ask together share a query", async () => {
    const keys = [`'; drop table product; --`, 'größe ☃ 🦄', ' ', 'nul \0', 'x'.repeat(9000), '{}'];
    const requests = Array.from({ length: 600 }, (_, index) => keys[Math.floor(index / 10) % 6]!);
    writeFileSync(
      join(folder, 'own.txt'),
      Buffer.from(`${requests.join('\r\n')}\r\n\xff`, 'latin1'),
    );

    const options = ['--trace', 'own.txt', '--max-size', '3', '--ttl', '10m'];
    const { stdout, stderr, code } = await run(...options);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout).toContain('own.txt: 601 requests to 7 keys');
    expect(stdout).toContain('maxSize 3, ttl 10m, policy lru');

    const [, hits] = row(stdout, 'hits');
    const [, misses] = row(stdout, 'misses');
    const [, joined] = row(stdout, 'of them joined a load');
    expect(hits! + misses!).toBe(601);
    expect(joined).toBeGreaterThan(0);
    expect(row(stdout, 'database queries')).toEqual([601, misses! - joined!]);
  });

  it('tells how it is used', async () => {
    const { stdout, stderr, code } = await run('--help');
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    for (const option of [
      'trace',
      'requests',
      'concurrency',
      'max-size',
      'ttl',
      'policy',
      'help',
    ]) {
      expect(stdout).toContain(`--${option} `);
    }
  });

  it.each([
    [['--trace', 'none.txt'], /there is no file '.*none\.txt'/],
    [['--trace', '.'], /is a directory/],
    [['--requests', 'some'], /--requests must be .*, got 'some'/],
    [['--colour'], /Unknown option '--colour'/],
    [['--ttl', '5 minutes'], /ttl must be .*'5 minutes'/],
    [['--policy', 'tinylfu'], /--policy must be lru, got 'tinylfu'/],
    [['--max-size', '-1'], /--max-size must be a whole number .* got '-1'/],
  ])('refuses %j in one line, with exit code 2', async (args, message) => {
    const { stdout, stderr, code } = await run(...args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('stops on Ctrl-C, and when nobody reads on', async () => {
    const interrupted = start();
    const unread = start();
    const complaints = Promise.all([interrupted, unread].map(({ stderr }) => text(stderr!)));
    const closed = Promise.all([interrupted, unread].map((child) => once(child, 'close')));
    await Promise.all([interrupted, unread].map(({ stdout }) => once(stdout!, 'data')));
    interrupted.kill('SIGINT');
    unread.stdout!.destroy();

    const [[interruptedCode], [unreadCode]] = (await closed) as [[number], [number]];
    expect(interruptedCode).toBe(130);
    expect(unreadCode).toBe(0);
    expect(await complaints).toEqual(['', '']);
  });
});

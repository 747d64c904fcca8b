import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { freePort, startRedis } from '../../../tools/redis/index.js';

const example = join(__dirname, '..');

jest.setTimeout(120_000);

beforeAll(async () => {
  const tsc = require.resolve('typescript/bin/tsc');
  await promisify(execFile)(process.execPath, [tsc, '-b', 'tsconfig.build.json'], { cwd: example });
});

async function run(redisUrl: string) {
  const env = { ...process.env, REDIS_URL: redisUrl };
  const child = spawn(process.execPath, [join(example, 'dist/demo.js')], { env });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { stdout, stderr, code };
}

/** What was measured, in the first row with this label. */
function measured(stdout: string, label: string): string | undefined {
  const row = stdout.split('\n').find((line) => line.startsWith(`│ ${label} `));
  return row?.split('│')[2]?.trim();
}

describe('the demo', () => {
  it('shows on a Redis of its own that all of it holds', async () => {
    const { stdout, stderr, code } = await run('');
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout).toContain("behind them: the demo's own");
    expect(measured(stdout, 'database queries')).toBe('1');
    expect(measured(stdout, 'commands to Redis')).toBe('0');
    expect(measured(stdout, 'price changes through A')).toBe('20');
    expect(measured(stdout, 'Redis was frozen for')).toMatch(/ms$/);
    expect(measured(stdout, 'tier coherent')).toBe('true');
    expect(measured(stdout, 'tier outages')).toMatch(/^[1-9]/);
    expect(stdout).toContain('All of it held.');
    expect(stdout).not.toContain('✗');
  });

  it('leaves the Redis of REDIS_URL alive, and nothing in it', async () => {
    await using redis = await startRedis();
    await redis.command('SET', 'of somebody else', 'value');
    const { stdout, stderr, code } = await run(redis.url);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout).toContain('behind them: the one of REDIS_URL');
    expect(stdout).toContain('4. Redis is not frozen and killed');
    expect(await redis.command('KEYS', '*')).toEqual(['of somebody else']);
  });

  it('fails, and says why, where there is no Redis', async () => {
    const { stderr, code } = await run(`redis://127.0.0.1:${await freePort()}`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^demo: something did not hold:\n +Error: connect ECONNREFUSED/);
  });
});

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const example = join(__dirname, '..');
const run = promisify(execFile);

jest.setTimeout(60_000);

it('shows that all of it is as it has to be', async () => {
  const tsc = require.resolve('typescript/bin/tsc');
  await run(process.execPath, [tsc, '-b', 'tsconfig.build.json'], { cwd: example });
  const { stderr, stdout } = await run(process.execPath, [join(example, 'dist/demo.js')]);
  expect(stderr).toBe('');
  expect(stdout).toContain('Cycle detected: check_stock -> update_stock');
  expect(stdout).toContain('3 loops stopped');
  expect(stdout).toContain('All of it is as it has to be.');
});

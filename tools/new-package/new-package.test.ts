import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Only what it refuses: that a new package passes every check is `npm run check:new`, which installs and builds. */
describe('npm run new', () => {
  const refusal = (...args: string[]): string => {
    const script = join(__dirname, 'new-package.mjs');
    const { status, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
    expect(status).toBe(1);
    return stderr;
  };

  it('refuses a name that is not in kebab-case, and says what it got', () => {
    expect(refusal('RedisTier', 'A tier.')).toContain("such as redis-tier, got 'RedisTier'");
    expect(refusal()).toContain('such as redis-tier, got none');
  });

  it('refuses a package that is there', () => {
    expect(refusal('core', 'A cache.')).toContain('packages/core exists already');
  });

  it('refuses to make a package of which nobody said what it is for', () => {
    expect(refusal('brand-new')).toContain(
      'must be one sentence that says what it is for, got none',
    );
    expect(refusal('brand-new', 'todo')).toContain("got 'todo'");
  });
});

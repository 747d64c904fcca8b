import { Failures } from './failures.js';

describe('what another process refreshes', () => {
  it('is not asked for again at every hit', () => {
    const failures = new Failures(100);
    failures.hold('k', 1000);
    expect(failures.mayRefresh('k', 1001)).toBe(false);
    expect(failures.mayRefresh('k', 1200)).toBe(true);
  });

  it('is not asked for again either where a refresh of our own has failed before', () => {
    const failures = new Failures(100);
    failures.note('k', new Error('down'), 0, 0, true, []);
    const pauseIsOver = 5000;
    failures.hold('k', pauseIsOver);
    expect(failures.mayRefresh('k', pauseIsOver + 1)).toBe(false);
  });

  it('does not shorten the pause of a refresh that has failed', () => {
    const failures = new Failures(100, () => 1);
    failures.note('k', new Error('down'), 0, 0, true, []);
    failures.hold('k', 10);
    expect(failures.mayRefresh('k', 999)).toBe(false);
  });
});

describe('a failure that is remembered', () => {
  it('is forgotten with a tag that its load was known to carry, and with no other', () => {
    const failures = new Failures(100);
    const error = new Error('not found');
    failures.note('k', error, 0, 1000, false, ['user:1']);
    failures.forgetTagged(['user:2']);
    expect(failures.remembered('k', 1)).toMatchObject({ error });
    failures.forgetTagged(['user:2', 'user:1']);
    expect(failures.remembered('k', 1)).toBeUndefined();
  });
});

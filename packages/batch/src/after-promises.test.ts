import type * as AfterPromises from './after-promises.js';
import { failOnUnhandledRejections } from '../test/outcome.js';
import { recorded } from '../test/loaders.js';
import { nextTurn } from '../test/deferred.js';

failOnUnhandledRejections();

/** Loads the module as a platform does that lacks some of Node's globals. */
function afterPromisesWithout(...missing: ('process' | 'setImmediate')[]) {
  const platform = globalThis as unknown as Record<string, unknown>;
  const held = missing.map((name) => [name, platform[name]] as const);
  let loaded: typeof AfterPromises | undefined;
  jest.isolateModules(() => {
    for (const name of missing) platform[name] = undefined;
    try {
      // eslint-disable-next-line @typescript-eslint/no-require-imports -- anew, and at once
      loaded = require('./after-promises.js') as typeof AfterPromises;
    } finally {
      for (const [name, value] of held) platform[name] = value;
    }
  });
  return (loaded as NonNullable<typeof loaded>).afterPromises;
}

describe('afterPromises', () => {
  it.each([
    ['on Node', []],
    ['without process.nextTick', ['process']],
    ['without process.nextTick and setImmediate', ['process', 'setImmediate']],
  ] as const)('%s calls its job once the promise callbacks are through', async (_, missing) => {
    const afterPromises = afterPromisesWithout(...missing);
    const done: string[] = [];
    await new Promise<void>((resolve) => {
      afterPromises(() => {
        done.push('job');
        resolve();
      });
      void (async () => {
        for (let turn = 0; turn < 100; turn++) await Promise.resolve();
        done.push('promises');
      })();
      done.push('this');
    });

    expect(done).toEqual(['this', 'promises', 'job']);
  });

  it('calls jobs in the order in which they came', async () => {
    const afterPromises = afterPromisesWithout();
    const done: number[] = [];
    for (const job of [1, 2, 3]) afterPromises(() => done.push(job));
    await nextTurn();

    expect(done).toEqual([1, 2, 3]);
  });

  it('is not held up by timers that a test fakes', async () => {
    const { loader } = recorded();
    jest.useFakeTimers();
    try {
      expect(await loader.load(1)).toBe('v:1');
    } finally {
      jest.useRealTimers();
    }
  });
});

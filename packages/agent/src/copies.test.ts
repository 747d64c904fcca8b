import { settle } from '../../../tools/testing/deferred.js';
import { counted, rejection, times } from '../test/counted.js';
import * as here from './index.js';

/** Another copy of this package, as that for `require` is beside that for `import`. */
async function anotherCopy(): Promise<typeof here> {
  let copy: typeof here | undefined;
  await jest.isolateModulesAsync(async () => {
    copy = await import('./index.js');
  });
  return copy!;
}

describe('two copies of the package in one process', () => {
  it('are two, with one default runtime', async () => {
    const there = await anotherCopy();
    expect(there.AgentCacheSession).not.toBe(here.AgentCacheSession);
    const get = here.AgentCache({ name: 'one' })(async () => 1);
    await there.AgentCacheSession.run({}, () => get());
    expect(there.getAgentMetrics().byTool.one).toMatchObject({ calls: 1 });
    expect(here.getAgentMetrics()).toEqual(there.getAgentMetrics());
  });

  it('know each other`s sessions', async () => {
    const there = await anotherCopy();
    const read = counted(async () => settle());
    const get = here.AgentCache({ name: 'two', resource: 'two' })(read);
    const set = there.AgentCacheInvalidator({ name: 'set', resource: 'two' })(async () => 1);
    const parent = new there.AgentCacheSession({ maxToolRepeats: 2 });
    const child = new here.AgentCacheSession({ parent: parent, maxToolRepeats: 2 });
    await parent.run(async () => {
      await times(2, () => get());
      await set();
      await get();
    });
    expect(read.runs).toBe(2);
    const error = await rejection(parent.run(() => times(2, () => get())));
    expect(error).toBeInstanceOf(here.AgentLoopDetectedError);
    expect(error).toBeInstanceOf(there.AgentLoopDetectedError);
    expect(child.halted).toBe(error);
    await expect(child.bind(get)()).rejects.toBe(error);
    await Promise.all([child.end(), parent.end()]);
  });

  it('join each other`s calls, and get the tool`s own error', async () => {
    const there = await anotherCopy();
    const error = new Error('down');
    const fail = async () => {
      await settle();
      throw error;
    };
    const one = here.AgentCache({ name: 'three', scope: 'global' })(fail);
    const other = there.AgentCache({ name: 'three', scope: 'global' })(fail);
    const errors = await Promise.all([rejection(one()), rejection(other())]);
    expect(errors).toEqual([error, error]);
    expect(here.getAgentMetrics().byTool.three).toMatchObject({ loads: 1, joined: 1 });
  });
});

import { createAgentCache } from './index.js';
import { AgentCounters } from './agent-metrics.js';
import { times } from '../test/counted.js';

describe('metrics', () => {
  it('are there before anything was counted', () => {
    expect(createAgentCache().getMetrics()).toEqual({
      calls: 0,
      hits: 0,
      misses: 0,
      hitRate: 0,
      joined: 0,
      loads: 0,
      invalidations: 0,
      straddled: 0,
      loopDetections: 0,
      shortCircuits: 0,
      steers: 0,
      errors: 0,
      byTool: {},
    });
  });

  it('are of all tools, and of each', async () => {
    const runtime = createAgentCache();
    const get = runtime.read({ name: 'get' }, async () => 1);
    const set = runtime.mutate({ name: '__proto__' }, async () => 1);
    const session = runtime.session();
    await session.run(async () => {
      await times(4, () => get());
      await set();
    });
    const metrics = session.getMetrics();
    expect(metrics).toMatchObject({ calls: 5, hits: 3, misses: 1, hitRate: 0.75 });
    expect(metrics.byTool.get).toMatchObject({ calls: 4, hits: 3, hitRate: 0.75 });
    expect(Object.keys(metrics.byTool)).toEqual(['get', '__proto__']);
    expect(runtime.getMetrics()).toEqual(metrics);
    await session.end();
    expect(session.getMetrics()).toEqual(metrics);
  });

  it('are bounded, however many names there are', () => {
    const counters = new AgentCounters();
    for (let at = 0; at < 1000; at++) counters.count(`tool ${at}`, 'calls');
    const { byTool, calls } = counters.snapshot();
    expect(calls).toBe(1000);
    expect(Object.keys(byTool)).toHaveLength(257);
    expect(byTool['(other tools)']).toMatchObject({ calls: 744 });
  });
});

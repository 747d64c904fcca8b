import { AsyncCache } from '@acache/core';
import { createAgentCache } from './index.js';
import { STATE } from './session-state.js';

it('a session holds nothing in the cache once it has ended, and neither does the runtime', async () => {
  const cache = new AsyncCache<string>({ maxSize: null });
  const runtime = createAgentCache({ cache });
  const get = runtime.read({ name: 'get', resource: 'doc:{0}' }, async (id: number) => ({ id }));
  const set = runtime.mutate({ name: 'set', resource: 'doc:{0}' }, async (id: number) => id);
  for (let at = 0; at < 50; at++) {
    const session = runtime.session({ maxExecutionDepth: Infinity });
    await session.run(async () => {
      for (let id = 0; id < 20; id++) await get(id);
      await set(1);
    });
    expect(cache.size).toBe(19);
    await session.end();
    expect(cache.size).toBe(0);
  }
});

it('what calls leave behind in a session is bounded', async () => {
  const runtime = createAgentCache();
  const get = runtime.read({ name: 'get' }, async (id: number) => ({ id }));
  const session = runtime.session({
    maxExecutionDepth: Infinity,
    maxStagnantCalls: Infinity,
    onLoop: 'short-circuit',
  });
  await session.run(async () => {
    for (let id = 0; id < 2000; id++) await get(id);
  });
  const { outcomes } = session[STATE];
  expect(outcomes?.size).toBe(256);
  await session.end();
  expect(outcomes?.size).toBe(0);
});

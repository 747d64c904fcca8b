import { settle, deferred } from '../../../tools/testing/deferred.js';
import { failOnUnhandledRejections } from '../../../tools/testing/unhandled-rejections.js';
import { times } from '../test/counted.js';
import { EVENT_NAMES } from './agent-events.js';
import { createAgentCache, type AgentEventName, type AgentCacheRuntime } from './index.js';

failOnUnhandledRejections();

let runtime: AgentCacheRuntime;
let transcript: string[];

const EVENTS: AgentEventName[] = [
  'hit',
  'miss',
  'joined',
  'straddled',
  'invalidate',
  'loop',
  'steer',
  'short-circuit',
  'halt',
  'session:start',
  'session:end',
  'error',
];

beforeEach(() => {
  runtime = createAgentCache();
  transcript = [];
  for (const name of EVENTS) {
    runtime.on(name, (event) => {
      const { tool, sessionId } = event as { tool?: string; sessionId?: string };
      transcript.push([name, tool, sessionId].filter(Boolean).join(' '));
    });
  }
});

describe('events', () => {
  it('tell what happens to calls', async () => {
    const slow = deferred<number>();
    const get = runtime.read({ name: 'get', resource: 'x' }, () => slow.promise);
    const set = runtime.mutate({ name: 'set', resource: 'x' }, async () => 1);
    const session = runtime.session({ id: 's' });
    await session.run(async () => {
      const both = [get(), get()];
      await settle();
      await set();
      slow.resolve(1);
      await Promise.all(both);
      await times(2, () => get());
    });
    await session.end();
    expect(transcript).toEqual([
      'session:start s',
      'invalidate set s',
      'straddled get s',
      'miss get s',
      'miss get s',
      'joined get s',
      'miss get s',
      'hit get s',
      'session:end s',
    ]);
  });

  it.each([
    ['throw', ['loop get s', 'halt s']],
    ['warn', ['loop get s', 'hit get s']],
    ['steer', ['loop get s', 'steer get s']],
    ['short-circuit', ['loop get s', 'short-circuit get s']],
  ] as const)('tell of a loop, %s', async (onLoop, expected) => {
    const get = runtime.read({ name: 'get' }, async () => 1);
    const session = runtime.session({ id: 's', maxToolRepeats: 1, onLoop });
    await session.run(() => Promise.allSettled([get().then(() => get())]));
    expect(transcript.slice(2)).toEqual(expected);
  });

  it('hold no arguments and no results', async () => {
    const events: unknown[] = [];
    for (const name of EVENTS) runtime.on(name, (event) => events.push(event));
    const get = runtime.read({ name: 'get' }, async (secret: string) => `answer ${secret}`);
    const session = runtime.session({ maxToolRepeats: 1, onLoop: 'steer' });
    await session.run(() => times(3, () => get('secret')));
    expect(JSON.stringify(events)).not.toContain('secret');
  });

  it('end with what `on` returned, each by itself', async () => {
    const told = jest.fn();
    const [off, again] = [runtime.on('miss', told), runtime.on('miss', told)];
    const get = runtime.read({ name: 'get', scope: 'global', ttl: 0 }, async () => 1);
    await get();
    off();
    off();
    await get();
    again();
    await get();
    expect(told).toHaveBeenCalledTimes(3);
    expect(told).toHaveBeenCalledWith({ tool: 'get', sessionId: undefined, callId: undefined });
  });

  it('are all there are, and listeners are functions', () => {
    expect([...EVENT_NAMES].sort()).toEqual([...EVENTS].sort());
    expect(() => runtime.on('lop' as never, () => undefined)).toThrow(
      /^event must be one of hit, .+, error, got 'lop'$/,
    );
    expect(() => runtime.on('toString' as never, () => undefined)).toThrow(/got 'toString'/);
    expect(() => runtime.on('hit', 7 as never)).toThrow('a listener must be a function, got 7');
  });

  it('have no part in a call, whatever a listener throws', async () => {
    runtime.on('miss', () => {
      throw new Error('listener');
    });
    const get = runtime.read({ name: 'get', scope: 'global' }, async () => 1);
    expect(await get()).toBe(1);
  });
});

describe('an observer', () => {
  it('is told of each call and how it ended', async () => {
    const log: unknown[] = [];
    const end = runtime.observe({
      began: ({ args, callId, effect, scope, sessionId, tool }) => {
        log.push({ args, callId, effect, scope, sessionId, tool });
        return {
          run: (work) => {
            log.push('run');
            return work();
          },
          ended: ({ duration, ...outcome }) => {
            expect(duration).toBeGreaterThanOrEqual(0);
            log.push(outcome);
          },
        };
      },
      invalidated: (resources, tool) => log.push({ resources, tool }),
    });
    const session = runtime.session({ id: 's', maxToolRepeats: 1 });
    const get = runtime.tool({ name: 'get', effect: 'read' });
    const set = runtime.tool({ name: 'set', effect: 'mutate', resource: 'x:{0}' });
    const error = new Error('no');
    await get.call([1], () => 'one', { session, callId: 'c1' });
    await get.call([1], () => 'one', { session }).catch(() => undefined);
    await set.call(['a:b'], () => Promise.reject(error)).catch(() => undefined);
    end();
    await set.call(['a:b'], () => 1);
    expect(log).toEqual([
      {
        args: [1],
        callId: 'c1',
        effect: 'read',
        scope: 'session',
        sessionId: 's',
        tool: 'get',
      },
      'run',
      { failed: false, loop: undefined, status: 'miss', value: 'one' },
      expect.objectContaining({ tool: 'get' }),
      {
        failed: true,
        loop: expect.objectContaining({ kind: 'repeat', message: expect.any(String) }),
        status: 'refused',
        error: session.halted,
      },
      expect.objectContaining({ tool: 'set', sessionId: undefined }),
      'run',
      { resources: ['x:a%3Ab'], tool: 'set' },
      { failed: true, loop: undefined, status: 'bypass', error },
    ]);
  });

  it('has no part in a call, whatever it throws', async () => {
    const fail = () => {
      throw new Error('observer');
    };
    runtime.observe({ began: fail, invalidated: fail });
    runtime.observe({ began: () => ({ run: fail, ended: fail }) });
    const set = runtime.mutate({ name: 'set' }, async () => 1);
    expect(await set()).toBe(1);
    expect(transcript.filter((event) => event.startsWith('error'))).toHaveLength(4);
  });
});

import { AsyncCache } from '@acache/core';
import { memoryTier } from '@acache/core/testing';
import fc from 'fast-check';
import { settle, deferred, type Deferred } from '../../../tools/testing/deferred.js';
import { createAgentCache, type AgentCacheRuntime } from './index.js';
import { conflict, parsePath } from './resource-path.js';

const PATHS = ['a', 'a:1', 'a:1:x', 'a:2', 'b'];

/** In which runtime and session something happens. The first two are the same conversation. */
const WHO = [
  { runtime: 0, session: 'same' },
  { runtime: 1, session: 'same' },
  { runtime: 1, session: 'another' },
  { runtime: 0, session: 'child of same' },
  { runtime: 1, session: 'isolated child of same' },
  { runtime: 0, session: 'none' },
] as const;

/** What is there: one runtime, two on one cache, two processes on a tier, or a cache that fails at times. */
type Setting = 'one' | 'two' | 'processes' | 'failing';

/** What happens next: a read or a change begins somewhere, or something that runs goes on. */
type Step =
  | { kind: 'read' | 'change'; path: string; who: number; global: boolean }
  | { kind: 'go on'; which: number }
  | { kind: 'break' };

/** Mostly about the same, so that what happens has to do with each other. */
const call = fc.record({
  kind: fc.constantFrom<'read' | 'change'>('read', 'read', 'change'),
  path: fc.constantFrom(...PATHS, 'a:1', 'a:1', 'a:1'),
  who: fc.nat(WHO.length - 1),
  global: fc.constantFrom(false, false, true),
});
const goOn = fc.record({ kind: fc.constant('go on' as const), which: fc.nat(2) });
const step: fc.Arbitrary<Step> = fc.oneof(call, { arbitrary: goOn, weight: 2 });

/**
 * The world that tools read and change: a number for each path, and how far its changes are known to all.
 * A read that begins after a change was reported done must not bring what was before it.
 */
class World {
  /** How often a path was changed, counted at the moment of the change. */
  readonly versions = new Map(PATHS.map((path) => [path, 0]));
  /** What pauses: a tool before and after it looks or writes. */
  readonly paused: Deferred<undefined>[] = [];

  async pause(): Promise<void> {
    const pause = deferred<undefined>();
    this.paused.push(pause);
    await pause.promise;
  }

  /** The versions of everything that concerns a path. */
  look(path: string): number[] {
    return PATHS.map((other) =>
      conflict(parsePath(path), parsePath(other)) ? (this.versions.get(other) ?? 0) : 0,
    );
  }

  goOn(which: number): void {
    this.paused.splice(which % Math.max(1, this.paused.length), 1)[0]?.resolve(undefined);
  }
}

function setUp(setting: Setting) {
  const tier = memoryTier();
  const caches = [0, 1].map(() => {
    const isShared = setting === 'processes';
    return new AsyncCache({ name: 'x', maxSize: null, ...(isShared && { tier }) });
  });
  if (setting !== 'processes') caches[1] = caches[0]!;
  const ailment = { active: false };
  if (setting === 'failing') {
    const [cache] = caches as [AsyncCache];
    const invalidate = cache.invalidateTags.bind(cache);
    cache.invalidateTags = (...tags) =>
      ailment.active ? Promise.reject(new Error('failing')) : invalidate(...tags);
  }
  const runtimes = caches.map((cache) => createAgentCache({ cache }));
  if (setting === 'one') runtimes[1] = runtimes[0]!;
  const quiet = { loopDetection: false };
  const sessions = WHO.map(({ runtime, session }) =>
    session === 'none' ? undefined : runtimes[runtime]!.session({ ...quiet, id: session }),
  );
  const [one, other] = sessions;
  sessions[3] = runtimes[0]!.session({ ...quiet, parent: one! });
  sessions[4] = runtimes[1]!.session({ ...quiet, parent: other!, cache: 'isolated' });
  return { ailment, runtimes, sessions };
}

/** Those who see each other's changes. */
const familyOf = (who: number) => WHO[who]!.session.replace(/.*child of /, '');

async function play(steps: readonly Step[], setting: Setting): Promise<void> {
  const world = new World();
  const { ailment, runtimes, sessions } = setUp(setting);
  const toolsOf = (runtime: AgentCacheRuntime) => (global: boolean) => {
    const scope = global ? ('global' as const) : ('session' as const);
    const shared = { resource: (path: string) => path, scope };
    return {
      read: runtime.read({ name: `read ${scope}`, ...shared }, async (path: string) => {
        await world.pause();
        const seen = world.look(path);
        await world.pause();
        return seen;
      }),
      change: runtime.mutate(
        { name: `change ${scope}`, ...shared },
        async (path: string, written: { version: number }) => {
          await world.pause();
          written.version = (world.versions.get(path) ?? 0) + 1;
          world.versions.set(path, written.version);
          await world.pause();
          if (written.version % 3 === 0) throw new Error('failed after the write');
        },
      ),
    };
  };
  const tools = runtimes.map(toolsOf);
  const running: Promise<unknown>[] = [];
  /** Changes that are done, by whom; what they reach must not be read as it was before. */
  const done: { path: string; family: string; global: boolean; version: number }[] = [];

  const begin = (next: Exclude<Step, { kind: 'go on' | 'break' }>): void => {
    const session = sessions[next.who];
    const within = <T>(work: () => Promise<T>) => session?.run(work) ?? work();
    const family = familyOf(next.who);
    const { change, read } = tools[WHO[next.who]!.runtime]!(next.global);
    if (next.kind === 'change') {
      const { global, path } = next;
      const written = { version: 0 };
      const changing = within(() => change(path, written)).catch(() => undefined);
      running.push(
        changing.then(() => {
          done.push({ path, family, global, version: written.version });
        }),
      );
      return;
    }
    const known = done.filter(
      (its) =>
        conflict(parsePath(its.path), parsePath(next.path)) &&
        (its.global || next.global || its.family === family),
    );
    running.push(
      within(() => read(next.path)).then((seen) => {
        for (const { path, version } of known) {
          expect(seen[PATHS.indexOf(path)]).toBeGreaterThanOrEqual(version);
        }
      }),
    );
  };

  for (const next of steps) {
    if (next.kind === 'go on') world.goOn(next.which);
    else if (next.kind === 'break') ailment.active = !ailment.active;
    else begin(next);
    await settle();
  }
  while (world.paused.length > 0) {
    world.goOn(0);
    await settle();
  }
  await Promise.all(running);
}

describe('whatever happens at the same time', () => {
  beforeAll(() => jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined));
  afterAll(() => jest.restoreAllMocks());

  it.each([
    ['in one runtime', 'one', 150],
    ['in two runtimes on one cache', 'two', 100],
    ['in two processes', 'processes', 100],
    ['in a cache that fails to invalidate at times', 'failing', 200],
  ] as const)('no read that begins after a change brings what was before it, %s', async (...of) => {
    const [, setting, numRuns] = of;
    const breaks = { arbitrary: fc.constant<Step>({ kind: 'break' }), weight: 1 };
    const any = setting === 'failing' ? fc.oneof({ arbitrary: step, weight: 8 }, breaks) : step;
    const steps = fc.array(any, { minLength: 5, maxLength: 100, size: 'max' });
    await fc.assert(
      fc.asyncProperty(steps, (given) => play(given, setting)),
      { numRuns },
    );
  });
});

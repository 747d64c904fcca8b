import { AsyncCache } from '@acache/core';
import { memoryTier } from '@acache/core/testing';
import fc from 'fast-check';
import { settle, deferred, type Deferred } from '../../../tools/testing/deferred.js';
import { createAgentCache, type AgentCacheRuntime, type AgentCacheSession } from './index.js';
import { conflict, parsePath } from './resource-path.js';

const PATHS = ['a', 'a:1', 'a:1:x', 'a:2', 'b'];

/** What happens next: a read or a change begins somewhere, or something that runs goes on. */
type Step =
  | { kind: 'read' | 'change'; path: string; who: number; global: boolean }
  | { kind: 'go on'; which: number };

const step = fc.oneof(
  fc.record({
    kind: fc.constantFrom<'read' | 'change'>('read', 'read', 'change'),
    path: fc.constantFrom(...PATHS),
    who: fc.nat(2),
    global: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('go on' as const), which: fc.nat(5) }),
) as fc.Arbitrary<Step>;

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

/** Two processes or one, and three sessions. The first two are the same conversation in two processes. */
function setUp(shared: boolean): { runtimes: AgentCacheRuntime[]; sessions: AgentCacheSession[] } {
  const tier = memoryTier();
  const runtimes = [0, 1].map(() =>
    createAgentCache(shared ? { cache: new AsyncCache({ name: 'x', tier, maxSize: null }) } : {}),
  );
  if (!shared) runtimes[1] = runtimes[0]!;
  const options = { loopDetection: false };
  return {
    runtimes,
    sessions: [
      runtimes[0]!.session({ ...options, id: 'same' }),
      runtimes[1]!.session({ ...options, id: 'same' }),
      runtimes[1]!.session({ ...options, id: 'another' }),
    ],
  };
}

async function play(steps: readonly Step[], shared: boolean): Promise<void> {
  const world = new World();
  const { runtimes, sessions } = setUp(shared);
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
  const done: { path: string; partition: string; global: boolean; version: number }[] = [];

  const begin = (next: Exclude<Step, { kind: 'go on' }>): void => {
    const session = sessions[next.who]!;
    const { change, read } = tools[next.who === 0 ? 0 : 1]!(next.global);
    if (next.kind === 'change') {
      const { global, path } = next;
      const written = { version: 0 };
      const changing = session.run(() => change(path, written)).catch(() => undefined);
      running.push(
        changing.then(() => {
          done.push({ path, partition: session.id, global, version: written.version });
        }),
      );
      return;
    }
    const known = done.filter(
      ({ global, partition, path }) =>
        conflict(parsePath(path), parsePath(next.path)) &&
        (global || next.global || partition === session.id),
    );
    running.push(
      session
        .run(() => read(next.path))
        .then((seen) => {
          for (const { path, version } of known) {
            expect(seen[PATHS.indexOf(path)]).toBeGreaterThanOrEqual(version);
          }
        }),
    );
  };

  for (const next of steps) {
    if (next.kind === 'go on') world.goOn(next.which);
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
  const steps = fc.array(step, { minLength: 5, maxLength: 60 });

  it('no read that begins after a change brings what was before it', async () => {
    await fc.assert(
      fc.asyncProperty(steps, (given) => play(given, false)),
      { numRuns: 150 },
    );
  });

  it('nor does one in another process', async () => {
    await fc.assert(
      fc.asyncProperty(steps, (given) => play(given, true)),
      { numRuns: 100 },
    );
  });
});

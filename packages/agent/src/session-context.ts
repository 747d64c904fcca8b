import { AsyncLocalStorage } from 'node:async_hooks';
import type { AgentCacheSession } from './session.js';

/** What the code that runs now belongs to. */
export interface SessionFrame {
  readonly session: AgentCacheSession | undefined;
  /** Set by `bind`, which beats a session that is given to a call. */
  readonly bound: boolean;
  /** The innermost load that it is a part of. */
  readonly loading: RunningLoad | undefined;
}

/** A load of a read that runs, and the one that it is a part of. */
export interface RunningLoad {
  readonly cache: object;
  readonly key: string;
  readonly outer: RunningLoad | undefined;
}

/** Known by a symbol of the platform, so that the ESM and the CJS copy of this package share it. */
const CONTEXT = Symbol.for('@acache/agent: session context');

/** The frame of what runs now. */
export function currentFrame(): SessionFrame | undefined {
  return context().getStore();
}

/** Runs something in a session. */
export function inSession<T>(session: AgentCacheSession, bound: boolean, work: () => T): T {
  return inFrame({ session, bound, loading: currentFrame()?.loading }, work);
}

/** Whether what runs now is a part of the load of that key, which thus cannot wait for it. */
export function isLoading(cache: object, key: string): boolean {
  let load = currentFrame()?.loading;
  while (load !== undefined && !(load.cache === cache && load.key === key)) load = load.outer;
  return load !== undefined;
}

/** Runs something in a frame; never by `enterWith`, which would leak into the caller. */
export function inFrame<T>(frame: SessionFrame, work: () => T): T {
  return context().run(frame, work);
}

function context(): AsyncLocalStorage<SessionFrame> {
  const home = globalThis as { [CONTEXT]?: AsyncLocalStorage<SessionFrame> };
  return (home[CONTEXT] ??= new AsyncLocalStorage());
}

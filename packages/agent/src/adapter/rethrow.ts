import type { AgentCacheSession } from '../session.js';

/**
 * Awaits a run of an agent, and throws what halted its session, whatever the SDK made of that: some end
 * as if nothing had been, some reject with an error of their own.
 *
 * ```ts
 * const result = await rethrow(session, agent.generate('…', { abortSignal: session.signal }));
 * ```
 *
 * @throws (rejects) AgentLoopDetectedError where the session is halted, else what the run rejects with
 */
export async function rethrow<T>(
  session: Pick<AgentCacheSession, 'halted'>,
  run: PromiseLike<T> | T,
): Promise<T> {
  try {
    return await run;
  } finally {
    throwIfHalted(session);
  }
}

/** Throws what halted a session. */
export function throwIfHalted(session: Pick<AgentCacheSession, 'halted'> | undefined): void {
  if (session?.halted !== undefined) throw session.halted;
}

import type { AgentCacheSession } from '../session.js';

/**
 * Request options for `toolRunner` by which a loop ends the run: those that are given, and the signal of
 * the session. The run then rejects with the SDK's own error, which `rethrow` makes the loop's.
 *
 * ```ts
 * const runner = client.beta.messages.toolRunner(params, runnerOptions(session));
 * const message = await rethrow(session, runner);
 * ```
 *
 * A signal among the options ends the run as well.
 */
export function runnerOptions<O extends object>(
  session: Pick<AgentCacheSession, 'signal'>,
  options?: O & { readonly signal?: AbortSignal | null | undefined },
): Omit<O, 'signal'> & { signal: AbortSignal } {
  const signal = options?.signal;
  const both = signal == null ? session.signal : AbortSignal.any([session.signal, signal]);
  return { ...(options as O), signal: both };
}

import { defaultRuntime } from '../default-runtime.js';
import type { AgentCacheSession } from '../session.js';

/**
 * A stop condition: ends the agent's run once its session is halted, or its signal has fired, as if the
 * model had come to an end. A tool that throws does not: the SDK hands the model the error, and goes on.
 *
 * ```ts
 * await generateText({ model, tools, stopWhen: [isStepCount(20), haltedBy(session)], prompt });
 * ```
 *
 * @param session - by default the one that the agent runs in, by `session.run()`
 */
export function haltedBy(session?: Pick<AgentCacheSession, 'halted' | 'signal'>): () => boolean {
  return () => {
    const { halted, signal } = session ?? defaultRuntime().current() ?? {};
    return halted !== undefined || signal?.aborted === true;
  };
}

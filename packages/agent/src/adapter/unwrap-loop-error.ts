import { AgentLoopDetectedError } from '../loop-error.js';

/** How deep errors are looked into: SDKs wrap what a tool throws a few times at most. */
const MAX_DEPTH = 16;

/**
 * The loop that an SDK's error is about: most wrap what a tool throws.
 *
 * ```ts
 * const loop = unwrapLoopError(error);
 * if (loop !== undefined) console.log(loop.kind, loop.tool);
 * ```
 *
 * @returns the error that halted the session, or `undefined` where the run failed by something else
 */
export function unwrapLoopError(error: unknown): AgentLoopDetectedError | undefined {
  const seen = new Set<unknown>();
  let level: unknown[] = [error];
  for (let depth = 0; depth < MAX_DEPTH && level.length > 0; depth++) {
    const next: unknown[] = [];
    for (const candidate of level) {
      if (typeof candidate !== 'object' || candidate === null || seen.has(candidate)) continue;
      seen.add(candidate);
      if (candidate instanceof AgentLoopDetectedError) return candidate;
      const wrapper = candidate as { cause?: unknown; error?: unknown; errors?: unknown };
      const {
        cause,
        error: inner,
        errors,
        reason,
      } = wrapper as typeof wrapper & {
        reason?: unknown;
      };
      next.push(cause, inner, reason, ...(Array.isArray(errors) ? (errors as unknown[]) : []));
    }
    level = next;
  }
  return undefined;
}

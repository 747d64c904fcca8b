import type { AgentMetrics } from './agent-metrics.js';
import { runtimeOf, type AgentCacheRuntime } from './create-agent-cache.js';
import { defaultParts } from './runtime-parts.js';
import type { AgentCacheSession } from './session.js';
import { STATE } from './session-state.js';

/** The runtime that `AgentCache`, `AgentCacheInvalidator` and sessions work on, unless they are given one. */
export function defaultRuntime(): AgentCacheRuntime {
  return runtimeOf(defaultParts());
}

/** The runtime of an adapter: the one it is given, else that of its session, else the default one. */
export function runtimeFor(options: {
  readonly runtime?: AgentCacheRuntime | undefined;
  readonly session?: AgentCacheSession | undefined;
}): AgentCacheRuntime {
  const { runtime, session } = options;
  return runtime ?? (session === undefined ? defaultRuntime() : runtimeOf(session[STATE].parts));
}

/** What was counted on the default runtime, in all sessions and outside of any. */
export function getAgentMetrics(): AgentMetrics {
  return defaultRuntime().getMetrics();
}

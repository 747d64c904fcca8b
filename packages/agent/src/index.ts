export { AgentCache } from './agent-cache.js';
export { AgentCacheInvalidator } from './agent-cache-invalidator.js';
export type { ToolEffect, ToolPolicy } from './tool-policy.js';
export type { Guarded, ToolDecorator } from './tool-decorator.js';

export { AgentCacheSession } from './session.js';
export type { AgentCacheSessionOptions } from './session-options.js';

export { AgentLoopDetectedError } from './loop-error.js';
export type { LoopAction, LoopInfo, LoopKind } from './loop-info.js';

export { createAgentCache } from './create-agent-cache.js';
export type { AgentCacheOptions, AgentCacheRuntime } from './create-agent-cache.js';
export { defaultRuntime, getAgentMetrics } from './default-runtime.js';
export type { AgentMetrics, ToolMetrics } from './agent-metrics.js';
export type { AgentCallEvent, AgentEventName, AgentEvents } from './agent-events.js';

// What adapters and observers plug into.
export type { CallOptions, GuardedTool, RunContext } from './guarded-tool.js';
export type {
  AgentObserver,
  CallObservation,
  CallOutcome,
  CallStatus,
  ObservedCall,
} from './agent-observer.js';

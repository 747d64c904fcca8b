import { describeValue, InvalidOptionError } from '@acache/core';
import { EVENT_NAMES, type AgentEventName, type AgentEvents } from './agent-events.js';
import type { AgentMetrics } from './agent-metrics.js';
import type { AgentObserver } from './agent-observer.js';
import type { AnyFunction } from './any-function.js';
import { ToolGuard, type GuardedTool } from './guarded-tool.js';
import { parsePath, pathText, type ResourcePath } from './resource-path.js';
import { mutationTags } from './resource-tags.js';
import { PARTS, RuntimeParts, type AnyCache } from './runtime-parts.js';
import { AgentCacheSession } from './session.js';
import { currentFrame } from './session-context.js';
import type { AgentCacheSessionOptions } from './session-options.js';
import { makeTool } from './tool.js';
import { toolDecorator, type Guarded, type ToolDecorator } from './tool-decorator.js';
import type { ToolEffect, ToolPolicy } from './tool-policy.js';

/** Where a runtime keeps answers. */
export interface AgentCacheOptions {
  /**
   * A cache to keep them in, with a tier to share them with other processes say. Its own `ttl`, stale
   * windows and timeouts hold where a policy has none.
   * @defaultValue memory of its own, for 10,000 answers
   */
  cache?: AnyCache;
}

/** Wraps tools, and keeps their answers in one cache. */
export interface AgentCacheRuntime {
  /** Caches a tool that reads. Without a function: a wrapper and method decorator, as `AgentCache` is. */
  read<F extends AnyFunction>(policy: ToolPolicy, fn: F): Guarded<F>;
  read(policy?: ToolPolicy): ToolDecorator;
  /** Makes invalid what a tool changes, before and after each call. Without a function as above. */
  mutate<F extends AnyFunction>(policy: ToolPolicy, fn: F): Guarded<F>;
  mutate(policy?: ToolPolicy): ToolDecorator;
  /** Only watches a tool for loops. Without a function as above. */
  guard<F extends AnyFunction>(policy: ToolPolicy, fn: F): Guarded<F>;
  guard(policy?: ToolPolicy): ToolDecorator;
  /**
   * A tool for an adapter, that calls it in its own way. The policy must name it; without an `effect` it
   * is only watched.
   */
  tool(policy: ToolPolicy): GuardedTool;
  /** Begins a session of this runtime. */
  session(options?: Omit<AgentCacheSessionOptions, 'runtime'>): AgentCacheSession;
  /** The session that what runs now belongs to. */
  current(): AgentCacheSession | undefined;
  /**
   * Makes resources invalid, in every session and for everybody: something else has changed them.
   *
   * @throws (rejects) InvalidOptionError for what is no path; one has values where a policy has placeholders
   */
  invalidate(...resources: string[]): Promise<void>;
  /**
   * Listens.
   *
   * @returns what ends it
   * @throws InvalidOptionError for an event that does not exist
   */
  on<E extends AgentEventName>(event: E, listener: (event: AgentEvents[E]) => void): () => void;
  /** Lets something watch every call, such as `openTelemetry()`. @returns what ends it */
  observe(observer: AgentObserver): () => void;
  /** What was counted in all sessions, and outside of any. */
  getMetrics(): AgentMetrics;
}

/**
 * Makes a runtime of one's own, on a cache that is shared by processes say.
 *
 * ```ts
 * const agents = createAgentCache({ cache: new AsyncCache({ name: 'agents', tier }) });
 * const getCart = agents.read({ name: 'getCart', resource: 'cart:{0}' }, loadCart);
 * ```
 *
 * @throws InvalidOptionError when what it is given is no cache
 */
export function createAgentCache(options: AgentCacheOptions = {}): AgentCacheRuntime {
  if (typeof options !== 'object' || (options as unknown) === null) {
    throw new InvalidOptionError(
      `the options of createAgentCache must be an object, got ${describeValue(options)}`,
    );
  }
  checkCache(options.cache);
  return runtimeOf(new RuntimeParts(options.cache));
}

/** A runtime over parts that are there. */
export function runtimeOf(parts: RuntimeParts): AgentCacheRuntime {
  return (parts.runtime ??= new Runtime(parts)) as AgentCacheRuntime;
}

class Runtime implements AgentCacheRuntime {
  /** @internal */
  readonly [PARTS]: RuntimeParts;

  constructor(parts: RuntimeParts) {
    this[PARTS] = parts;
  }

  read(policy?: ToolPolicy, ...fn: AnyFunction[]): any {
    return this.#wrapping('read', policy, fn);
  }

  mutate(policy?: ToolPolicy, ...fn: AnyFunction[]): any {
    return this.#wrapping('mutate', policy, fn);
  }

  guard(policy?: ToolPolicy, ...fn: AnyFunction[]): any {
    return this.#wrapping('guard', policy, fn);
  }

  tool(policy: ToolPolicy): GuardedTool {
    const effect = policy.effect ?? 'unknown';
    return new ToolGuard(makeTool(policy, { effect, who: 'tool' }, this[PARTS]));
  }

  session(options: Omit<AgentCacheSessionOptions, 'runtime'> = {}): AgentCacheSession {
    return new AgentCacheSession({ ...options, runtime: this });
  }

  current(): AgentCacheSession | undefined {
    return currentFrame()?.session;
  }

  async invalidate(...resources: string[]): Promise<void> {
    const paths = resources.map(givenPath);
    const parts = this[PARTS];
    const tags = mutationTags(paths, 'everybody');
    parts.active.touch(tags);
    const done = parts.invalidate(tags);
    parts.counters.count(undefined, 'invalidations');
    parts.invalidated(paths.map(pathText));
    await done;
  }

  on<E extends AgentEventName>(event: E, listener: (event: AgentEvents[E]) => void): () => void {
    if (!EVENT_NAMES.includes(event)) {
      throw new InvalidOptionError(
        `event must be one of ${EVENT_NAMES.join(', ')}, got ${describeValue(event)}`,
      );
    }
    if (typeof listener !== 'function') {
      throw new InvalidOptionError(`a listener must be a function, got ${describeValue(listener)}`);
    }
    return this[PARTS].events.on(event, listener);
  }

  observe(observer: AgentObserver): () => void {
    const parts = this[PARTS];
    // One that is there twice is told twice, and ends each by itself.
    const own: AgentObserver = {
      began: (call) => observer.began?.(call),
      invalidated: (resources, tool) => observer.invalidated?.(resources, tool),
    };
    parts.observers = [...parts.observers, own];
    return () => {
      parts.observers = parts.observers.filter((other) => other !== own);
    };
  }

  getMetrics(): AgentMetrics {
    return this[PARTS].counters.snapshot();
  }

  #wrapping(who: 'read' | 'mutate' | 'guard', policy: ToolPolicy = {}, fn: AnyFunction[]): unknown {
    const effect: ToolEffect = who === 'guard' ? 'unknown' : who;
    const decorate = toolDecorator({ effect, who, policy, parts: () => this[PARTS] });
    return fn.length === 0 ? decorate : decorate(fn[0] as AnyFunction);
  }
}

/** @throws InvalidOptionError for what is no path, a policy's with its placeholders included */
function givenPath(resource: unknown): ResourcePath {
  const isText = typeof resource === 'string' && resource !== '';
  if (isText && !/\{[^{}:]+\}/.test(resource)) return parsePath(resource);
  const hint = isText ? ', with values in the place of placeholders (a brace in an id is %7B)' : '';
  throw new InvalidOptionError(
    `invalidate takes paths such as 'cart:7'${hint}, got ${describeValue(resource)}`,
  );
}

function checkCache(cache: unknown): void {
  if (cache === undefined) return;
  const { getWithMeta, invalidateTags } = (cache ?? {}) as Partial<AnyCache>;
  if (typeof getWithMeta === 'function' && typeof invalidateTags === 'function') return;
  throw new InvalidOptionError(
    `cache must be a Cache such as new AsyncCache(), got ${describeValue(cache)}`,
  );
}

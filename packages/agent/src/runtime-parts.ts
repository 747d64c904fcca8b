import { AsyncCache, type Cache } from '@acache/core';
import { ActiveMutations } from './active-mutations.js';
import { AgentEventHub, type AgentCallEvent, type AgentEvents } from './agent-events.js';
import { AgentCounters } from './agent-metrics.js';
import type { AgentObserver } from './agent-observer.js';
import { Invalidations } from './invalidations.js';
import { partitionTag } from './resource-tags.js';
import { readsIn, type RunningReads } from './running-reads.js';
import { ToolNames } from './tool-names.js';

/** A `Cache` of whatever keys and values: what is asked of it here. */
export type AnyCache = Pick<Cache<any>, 'getWithMeta' | 'invalidateTags'>;

/** What the calls and sessions of one runtime share. */
export class RuntimeParts {
  readonly cache: AnyCache;
  readonly active: ActiveMutations;
  readonly reads: RunningReads;
  readonly invalidations: Invalidations;
  readonly names: ToolNames;
  readonly counters = new AgentCounters();
  readonly events = new AgentEventHub();
  /** Replaced when one comes or goes, so that a call keeps to those it began with. */
  observers: readonly AgentObserver[] = [];
  /** Its face to the user, once there is one. */
  runtime: object | undefined = undefined;

  /** @param given - the cache, where the user has one; others may use it, in other processes too */
  constructor(given?: AnyCache) {
    this.cache = given ?? new AsyncCache({ name: 'agent', maxSize: 10_000 });
    this.active = activeIn(this.cache);
    this.reads = readsIn(this.cache);
    this.invalidations = invalidationsIn(this.cache);
    this.names = new ToolNames(given);
  }

  /**
   * Removes what carries one of these tags; memory has changed when this returns. A cache that refuses,
   * or takes too long, is reported: it has no part in the outcome of a call.
   */
  async invalidate(tags: readonly string[], about?: Partial<AgentCallEvent>): Promise<void> {
    if (tags.length === 0) return;
    try {
      await this.invalidations.invalidate(tags);
    } catch (error) {
      this.report(error, 'cache', about);
    }
  }

  /**
   * Whether what the cache has with these tags can be from before a change, since it failed to remove
   * that; then it is tried again, which is not waited for.
   */
  isDoubtful(tags: readonly string[], about: Partial<AgentCallEvent>): boolean {
    const failed = this.invalidations.failedOf(tags);
    if (failed.length === 0) return false;
    this.invalidations.retry(failed).catch((error: unknown) => this.report(error, 'cache', about));
    return true;
  }

  /** Tells that something was made invalid. */
  invalidated(resources: readonly string[], about: Partial<AgentCallEvent> = {}): void {
    this.events.tell('invalidate', () => ({ ...about, resources }));
    for (const observer of this.observers) {
      try {
        observer.invalidated?.(resources, about.tool);
      } catch (error) {
        this.report(error, 'observer', about);
      }
    }
  }

  /** Removes all answers of a partition, once its session has ended. */
  dropPartition(partition: string): Promise<void> {
    return this.invalidate([partitionTag(partition)]);
  }

  report(
    error: unknown,
    source: AgentEvents['error']['source'],
    about: Partial<AgentCallEvent> = {},
  ): void {
    this.events.tell('error', () => ({ ...about, error, source }));
  }
}

const activeByCache = new WeakMap<AnyCache, ActiveMutations>();

/** Two runtimes on one cache see each other's mutations. */
export function activeIn(cache: AnyCache): ActiveMutations {
  const active = activeByCache.get(cache) ?? new ActiveMutations();
  activeByCache.set(cache, active);
  return active;
}

const invalidationsByCache = new WeakMap<AnyCache, Invalidations>();

/** What one runtime could not invalidate, no other one on the same cache may serve. */
function invalidationsIn(cache: AnyCache): Invalidations {
  const invalidations = invalidationsByCache.get(cache) ?? new Invalidations(cache);
  invalidationsByCache.set(cache, invalidations);
  return invalidations;
}

const DEFAULT_PARTS = Symbol.for('@acache/agent: default runtime');

/** Those of the default runtime: one per process, also where this package is loaded twice. */
export function defaultParts(): RuntimeParts {
  const home = globalThis as { [DEFAULT_PARTS]?: RuntimeParts };
  return (home[DEFAULT_PARTS] ??= new RuntimeParts());
}

/** What a runtime is made of; hidden behind its interface, and known to both copies of this package. */
export const PARTS: unique symbol = Symbol.for('@acache/agent: parts of a runtime');

/** Whether something was made by `createAgentCache`. */
export function isRuntime(value: unknown): value is { readonly [PARTS]: RuntimeParts } {
  return typeof value === 'object' && value !== null && PARTS in value;
}

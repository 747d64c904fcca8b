import type { AgentCallEvent } from './agent-events.js';
import type { Counted } from './agent-metrics.js';
import {
  ObservedRun,
  type AgentObserver,
  type CallOutcome,
  type CallStatus,
} from './agent-observer.js';
import { callToken, type CallSubject } from './call-key.js';
import { resourcesOf } from './call-resources.js';
import type { WatchedCall } from './loop-detector.js';
import type { LoopInfo } from './loop-info.js';
import { pathText, type ResourcePath } from './resource-path.js';
import type { AgentCacheSession } from './session.js';
import { inFrame, type SessionFrame } from './session-context.js';
import { STATE, type SessionState } from './session-state.js';
import type { Tool } from './tool.js';

/** Runs the tool itself. */
export type RunTool = (context: RunContext) => unknown;

/** What the tool is told when it runs. */
export interface RunContext {
  /** Fires when nobody waits for the tool any more. */
  readonly signal: AbortSignal | undefined;
}

/** The answer of a stream that yielded nothing. */
export const NOTHING = Symbol('nothing');

/** One call of a tool. */
export class ToolCall {
  readonly tool: Tool;
  readonly args: readonly unknown[];
  readonly session: AgentCacheSession | undefined;
  readonly state: SessionState | undefined;
  /** The caller's. */
  readonly signal: AbortSignal | undefined;
  readonly about: AgentCallEvent;
  /** What makes it the same as another; `undefined` where that cannot be told. */
  readonly token: string | undefined;
  readonly resources: readonly ResourcePath[];
  /** How it is answered, for observers. */
  status: CallStatus = 'bypass';
  /** The key that it may run as the load of. */
  key: string | undefined = undefined;
  /** A loop that was found at it. */
  loop: LoopInfo | undefined = undefined;
  #frame: SessionFrame | undefined;
  readonly #observed: ObservedRun | undefined;

  constructor(
    tool: Tool,
    subject: CallSubject,
    frame: SessionFrame | undefined,
    from: { readonly signal: AbortSignal | undefined; readonly callId: string | undefined },
  ) {
    this.tool = tool;
    this.args = subject.args;
    this.session = frame?.session;
    this.state = frame?.session?.[STATE];
    this.signal = from.signal;
    this.about = { tool: tool.name, sessionId: this.state?.id, callId: from.callId };
    this.#frame = frame;
    this.token = this.#tokenFor(subject);
    this.resources = resourcesOf(tool, subject.args);
    const { observers } = tool.parts;
    this.#observed = observers.length === 0 ? undefined : this.#observe(observers);
  }

  /** What the loop detector is told of it. */
  watched(): WatchedCall {
    const { effect, exempt, maxRepeats, name } = this.tool;
    return {
      tool: name,
      token: this.token,
      effect,
      resources: this.resources.map(pathText),
      exempt,
      ...(maxRepeats !== undefined && { maxRepeats }),
    };
  }

  /** Counts something, for its session and for the runtime. */
  count(what: Counted): void {
    this.state?.count(this.tool.name, what);
    this.tool.parts.counters.count(this.tool.name, what);
  }

  tell(event: 'hit' | 'miss' | 'joined' | 'straddled'): void {
    this.tool.parts.events.tell(event, () => this.about);
  }

  /** Runs the tool, or a step of it, in its session, so that what the tool calls belongs there, too. */
  inSession<T>(work: () => T): T {
    const observed = this.#observed;
    const watched = observed === undefined ? work : () => observed.run(work);
    return this.#frame === undefined ? watched() : inFrame(this.#frame, watched);
  }

  /** From here on the tool runs as the load of a key: a call of the same within it must not wait for it. */
  loads(key: string): void {
    const { bound = false, loading: outer, session } = this.#frame ?? {};
    const { cache } = this.tool.parts;
    this.key = key;
    this.#frame = { session, bound, loading: { cache, key, outer } };
  }

  /** Tells observers how it ended. */
  ended(outcome: Pick<CallOutcome, 'value' | 'error' | 'failed'>): void {
    this.#observed?.ended({ ...outcome, status: this.status, loop: this.loop });
  }

  /** Whether the caller has left by its signal, which is no failure of the tool. */
  hasLeft(error: unknown): boolean {
    return this.signal?.aborted === true && error === this.signal.reason;
  }

  /** Whether a result is a failure in the form of a value. */
  isError(value: unknown): boolean {
    return this.#ask(() => this.tool.policy.isError?.(value) === true, false);
  }

  /** Whether a result may be stored. */
  isStorable(value: unknown): boolean {
    if (value === NOTHING) return false;
    // What is for everybody does not end with the session that loaded it.
    if (this.tool.scope === 'session' && this.state?.ended === true) return false;
    const { shouldCache } = this.tool.policy;
    return (
      !this.isError(value) &&
      this.#ask(() => shouldCache === undefined || shouldCache(value, ...this.args), false)
    );
  }

  /** A copy for a caller or for the cache; `undefined` where it cannot be made. */
  copy(value: unknown): { readonly value: unknown } | undefined {
    return this.#ask(() => ({ value: this.tool.copy(value) }), undefined);
  }

  #observe(observers: readonly AgentObserver[]): ObservedRun {
    const { effect, parts, scope } = this.tool;
    const report = (error: unknown): void => parts.report(error, 'observer', this.about);
    return new ObservedRun(observers, { ...this.about, effect, scope, args: this.args }, report);
  }

  #tokenFor(subject: CallSubject): string | undefined {
    return this.#ask(() => callToken(this.tool, subject), undefined);
  }

  /** What a function of the policy says. One that fails has no part in the call. */
  #ask<T>(ask: () => T, otherwise: T): T {
    try {
      return ask();
    } catch (error) {
      this.tool.parts.report(error, 'policy', this.about);
      return otherwise;
    }
  }
}

/** How the tool or the cache answered. */
export interface CallResult {
  readonly value: unknown;
  /** Whether the tool ran for it, for this caller or one it joined. */
  readonly fresh: boolean;
}

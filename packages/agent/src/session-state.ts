import { CacheError, encodeKey, onAbort } from '@acache/core';
import type { AgentCallEvent } from './agent-events.js';
import { AgentCounters, type Counted } from './agent-metrics.js';
import { ExecutionDepth } from './execution-depth.js';
import { LastOutcomes } from './last-outcomes.js';
import { depthFinding, LoopDetector, type LoopFinding, type WatchedCall } from './loop-detector.js';
import { AgentLoopDetectedError } from './loop-error.js';
import type { LoopAction, LoopInfo } from './loop-info.js';
import type { RuntimeParts } from './runtime-parts.js';
import { ACTIONS, type AgentCacheSessionOptions } from './session-options.js';

/** What becomes of a call: it runs, maybe with a loop that was only warned of, or a loop is answered. */
export type Verdict =
  | { readonly action: 'run'; readonly loop: LoopInfo | undefined }
  | { readonly action: 'short-circuit' | 'steer'; readonly loop: LoopInfo };

/**
 * What guarded calls ask of a session; hidden behind `AgentCacheSession`.
 *
 * What sessions ask of each other is not `#private`: the ESM and the CJS copy of this package may both be
 * there, and their sessions meet.
 */
export class SessionState {
  readonly id: string;
  readonly parts: RuntimeParts;
  /** Whose answers it sees: those of its root, unless it is isolated. A key and a tag begin with it. */
  readonly partition: string;
  /** Whose changes it sees: those of its root, and of all that descend from that. A tag begins with it. */
  readonly family: string;
  readonly counters = new AgentCounters();
  readonly parent: SessionState | undefined;
  /** The session whose partition it is. */
  readonly owner: SessionState;
  readonly #detector: LoopDetector | undefined;
  readonly depth: ExecutionDepth;
  readonly #onLoop: NonNullable<AgentCacheSessionOptions['onLoop']>;
  /** How calls ended, where they may be asked for. */
  readonly #outcomes: LastOutcomes | undefined;
  /** The runtimes that may hold something in its partition. */
  readonly touched: Set<RuntimeParts>;
  readonly #given: AbortSignal | undefined;
  /** Made when somebody asks for the signal, so that most sessions need no listeners. */
  #controller: AbortController | undefined = undefined;
  #unfollow: (() => void)[] = [];
  #halted: AgentLoopDetectedError | undefined = undefined;
  #ending: Promise<void> | undefined = undefined;

  constructor(
    id: string,
    parts: RuntimeParts,
    parent: SessionState | undefined,
    options: AgentCacheSessionOptions,
  ) {
    const { loopDetection = true, maxExecutionDepth = 50 } = options;
    this.id = id;
    this.parts = parts;
    this.parent = parent;
    this.owner = parent === undefined || options.cache === 'isolated' ? this : parent.owner;
    this.partition = this.owner === this ? encodeKey(id) : this.owner.partition;
    this.family = parent?.family ?? encodeKey(id);
    this.touched = new Set([parts]);
    this.touch(parts);
    this.#detector = loopDetection
      ? new LoopDetector({
          maxToolRepeats: options.maxToolRepeats ?? 5,
          maxToolFailures: options.maxToolFailures ?? 8,
          maxStagnantCalls: options.maxStagnantCalls ?? 20,
        })
      : undefined;
    const limit = loopDetection ? maxExecutionDepth : Infinity;
    this.depth = new ExecutionDepth(limit, parent?.depth);
    this.#onLoop = options.onLoop ?? 'throw';
    this.#outcomes = this.mayShortCircuit() ? new LastOutcomes() : undefined;
    this.#given = options.signal;
    parts.events.tell('session:start', () => ({ sessionId: id }));
  }

  /** The error that stopped it, or the session it is a part of. */
  get halted(): AgentLoopDetectedError | undefined {
    return this.#halted ?? this.parent?.halted;
  }

  get ended(): boolean {
    return this.#ending !== undefined || this.parent?.ended === true;
  }

  /** Fires when it is halted, when its parent's fires, and when the one that was given to it does. */
  get signal(): AbortSignal {
    return (this.#controller ??= this.#newController()).signal;
  }

  /** @throws what every call in it is refused with, once it has ended, was halted or aborted */
  checkOpen(): void {
    this.checkNotEnded();
    const { halted } = this;
    if (halted !== undefined) throw halted;
    this.abortedBy()?.throwIfAborted();
  }

  /** @throws CacheError `ERR_ACACHE_SESSION_ENDED` */
  checkNotEnded(): void {
    if (!this.ended) return;
    throw new CacheError('ERR_ACACHE_SESSION_ENDED', `session '${this.id}' has ended`);
  }

  count(tool: string | undefined, what: Counted): void {
    this.counters.count(tool, what);
    this.parent?.count(tool, what);
  }

  /** The answers of this session may be in the cache of that runtime from now on. */
  touch(parts: RuntimeParts): void {
    this.owner.touched.add(parts);
  }

  /** Whether the same read runs already, so that this call only joins it and is not admitted. */
  isJoining(call: WatchedCall): boolean {
    return this.#detector?.isJoining(call) === true;
  }

  /**
   * Counts a call and says what becomes of it. Synchronous, so that calls at the same time cannot pass a
   * limit together.
   *
   * @throws AgentLoopDetectedError for a loop, and from then on for every call
   */
  admit(call: WatchedCall, parts: RuntimeParts, about: AgentCallEvent): Verdict {
    let found: LoopInfo | undefined;
    const overrun = this.overrun();
    if (overrun !== undefined) {
      const { count, limit } = overrun.depth;
      const finding = depthFinding(call.tool, count + 1, limit);
      const verdict = this.#judge(finding, overrun, parts, about);
      if (verdict.action !== 'run') return verdict;
      found = verdict.loop;
    }
    this.depth.charge();
    const finding = this.#detector?.admit(call);
    if (finding === undefined) return { action: 'run', loop: found };
    const verdict = this.#judge(finding, this, parts, about);
    if (verdict.action !== 'run') return verdict;
    this.#detector?.allow(call);
    return { action: 'run', loop: verdict.loop ?? found };
  }

  /** Learns how an admitted call ended. */
  settle(call: WatchedCall, outcome: Parameters<LoopDetector['settle']>[1]): void {
    if (!this.ended) this.#detector?.settle(call, outcome);
  }

  get outcomes(): LastOutcomes | undefined {
    return this.#outcomes;
  }

  resetLoops(): void {
    this.#detector?.reset();
  }

  /** Refuses calls from now on, and frees what it holds; settles once its answers are gone. */
  end(): Promise<void> {
    return (this.#ending ??= this.#end());
  }

  async #end(): Promise<void> {
    for (const unfollow of this.#unfollow) unfollow();
    this.#unfollow = [];
    this.#detector?.reset();
    this.#outcomes?.clear();
    const touched = [...this.touched];
    this.touched.clear();
    const dropped =
      this.owner === this ? touched.map((parts) => parts.dropPartition(this.partition)) : [];
    this.parts.events.tell('session:end', () => ({ sessionId: this.id }));
    await Promise.all(dropped);
  }

  #judge(
    finding: LoopFinding,
    owner: SessionState,
    parts: RuntimeParts,
    about: AgentCallEvent,
  ): Verdict {
    const loop: LoopInfo = { ...finding, sessionId: owner.id };
    const action = owner.actionFor(loop);
    if (action === 'allow') return { action: 'run', loop: undefined };
    this.count(loop.tool, 'loopDetections');
    parts.counters.count(loop.tool, 'loopDetections');
    parts.events.tell('loop', () => ({ ...about, loop, action }));
    if (action === 'throw') {
      const error = new AgentLoopDetectedError(loop);
      owner.halt(error);
      throw error;
    }
    return action === 'warn' ? { action: 'run', loop } : { action, loop };
  }

  actionFor(loop: LoopInfo): LoopAction | 'allow' {
    if (typeof this.#onLoop !== 'function') return this.#onLoop;
    const action = this.#onLoop(loop);
    // Depth is no matter of opinion.
    if (action === 'allow' && loop.kind !== 'depth') return action;
    // What is not understood, a promise say, must not let a loop run on.
    return ACTIONS.includes(action as LoopAction) ? action : 'throw';
  }

  halt(error: AgentLoopDetectedError): void {
    this.#halted = error;
    this.#controller?.abort(error);
    this.parts.events.tell('halt', () => ({ sessionId: this.id, error }));
  }

  /** The session whose depth one more call would overrun. */
  overrun(): SessionState | undefined {
    if (this.depth.reached) return this;
    return this.parent?.overrun();
  }

  mayShortCircuit(): boolean {
    if (typeof this.#onLoop === 'function' || this.#onLoop === 'short-circuit') return true;
    return this.parent?.mayShortCircuit() === true;
  }

  #newController(): AbortController {
    const controller = new AbortController();
    const { halted } = this;
    const aborted = this.abortedBy();
    if (halted !== undefined) controller.abort(halted);
    else if (aborted !== undefined) controller.abort(aborted.reason);
    else if (!this.ended) {
      for (const signal of [this.#given, this.parent?.signal]) {
        if (signal === undefined) continue;
        this.#unfollow.push(onAbort(signal, () => controller.abort(signal.reason)));
      }
    }
    return controller;
  }

  /** The signal from outside that has fired, its own or that of a session above. */
  abortedBy(): AbortSignal | undefined {
    if (this.#given?.aborted === true) return this.#given;
    return this.parent?.abortedBy();
  }
}

/** Under which a session keeps its state; known to both copies of this package. */
export const STATE: unique symbol = Symbol.for('@acache/agent: state of a session');

/** Whether something is a session, of this copy of the package or another. */
export function isSession(value: unknown): value is { readonly [STATE]: SessionState } {
  return typeof value === 'object' && value !== null && STATE in value;
}

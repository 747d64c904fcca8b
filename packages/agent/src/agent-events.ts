import type { AgentLoopDetectedError } from './loop-error.js';
import type { LoopAction, LoopInfo } from './loop-info.js';

/** A call of a tool. */
export interface AgentCallEvent {
  readonly tool: string;
  /** `undefined` for a call without a session. */
  readonly sessionId: string | undefined;
  /** What the SDK calls this call, where it does. */
  readonly callId: string | undefined;
}

/** What a runtime tells whoever listens. None of it holds arguments or results. */
export interface AgentEvents {
  /** A read was answered from the cache. */
  hit: AgentCallEvent;
  /** A read was not. */
  miss: AgentCallEvent;
  /** A read waits for the same call of another one; it is a miss, too. */
  joined: AgentCallEvent;
  /** What a load brought was not stored, since a mutation overlapped it. */
  straddled: AgentCallEvent;
  /** A mutation is done, or `invalidate` was called; `tool` and `callId` are those of a mutation. */
  invalidate: Partial<AgentCallEvent> & { readonly resources: readonly string[] };
  /** A loop was found. */
  loop: AgentCallEvent & { readonly loop: LoopInfo; readonly action: LoopAction };
  /** A loop was answered by a text. */
  steer: AgentCallEvent & { readonly loop: LoopInfo };
  /** A loop was answered by an earlier outcome. */
  'short-circuit': AgentCallEvent & { readonly loop: LoopInfo };
  /** A session was halted: every later call in it is refused. */
  halt: { readonly sessionId: string; readonly error: AgentLoopDetectedError };
  'session:start': { readonly sessionId: string };
  'session:end': { readonly sessionId: string };
  /** Something beside the tool failed, and the call went on without it: the cache, or a function of the policy. */
  error: Partial<AgentCallEvent> & {
    readonly error: unknown;
    readonly source: 'cache' | 'policy' | 'observer';
  };
}

export type AgentEventName = keyof AgentEvents;

const EVENTS: Record<AgentEventName, true> = {
  hit: true,
  miss: true,
  joined: true,
  straddled: true,
  invalidate: true,
  loop: true,
  steer: true,
  'short-circuit': true,
  halt: true,
  'session:start': true,
  'session:end': true,
  error: true,
};

/** All there are. */
export const EVENT_NAMES = Object.keys(EVENTS) as AgentEventName[];

/** Tells whoever listens. Costs nothing while nobody does. */
export class AgentEventHub {
  readonly #listeners = new Map<AgentEventName, Set<(event: never) => void>>();

  on<E extends AgentEventName>(event: E, listener: (event: AgentEvents[E]) => void): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners);
    // One who listens twice is told twice, and ends each by itself.
    const told = (value: never): void => listener(value);
    listeners.add(told);
    return () => {
      listeners.delete(told);
      if (listeners.size === 0 && this.#listeners.get(event) === listeners) {
        this.#listeners.delete(event);
      }
    };
  }

  /** @param event - made only when somebody listens */
  tell<E extends AgentEventName>(name: E, event: () => AgentEvents[E]): void {
    const listeners = this.#listeners.get(name);
    if (listeners === undefined) return;
    const value = event() as never;
    for (const listener of [...listeners]) {
      try {
        listener(value);
      } catch {
        // A listener has no part in the call.
      }
    }
  }
}

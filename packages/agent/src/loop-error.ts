import type { LoopInfo, LoopKind } from './loop-info.js';

const CODE = 'ERR_ACACHE_AGENT_LOOP';

/**
 * A loop was found, and its session is halted: the call did not run, and every later one in the session
 * and its children is refused with this same error.
 *
 * `instanceof` goes by `code`, so that it holds for the errors of another copy of this package.
 */
export class AgentLoopDetectedError extends Error {
  readonly code = CODE;
  readonly kind: LoopKind;
  /** The tool of the call it was found at. */
  readonly tool: string;
  /** Of a cycle, the tools of one round in order; else the tool alone. */
  readonly tools: string[];
  /** How far it went: see `LoopInfo`. */
  readonly count: number;
  /** How far it may go. */
  readonly limit: number;
  /** The session that was halted. */
  readonly sessionId: string;
  /** Of a cycle, how many calls a round has. */
  readonly period: number | undefined;
  /** For a model: what it repeats, that the call was not run, and to do otherwise. */
  readonly modelMessage: string;

  constructor(loop: LoopInfo) {
    super(loop.message);
    this.name = 'AgentLoopDetectedError';
    this.kind = loop.kind;
    this.tool = loop.tool;
    this.tools = [...loop.tools];
    this.count = loop.count;
    this.limit = loop.limit;
    this.sessionId = loop.sessionId;
    this.period = loop.period;
    this.modelMessage = loop.modelMessage;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return false;
    // Whoever extends this class asks for the subclass.
    if (this !== AgentLoopDetectedError)
      return Function.prototype[Symbol.hasInstance].call(this, value);
    return (value as { code?: unknown }).code === CODE;
  }
}

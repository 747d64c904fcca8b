import { describeValue, InvalidOptionError } from '@acache/core';
import type { AgentCacheRuntime } from './create-agent-cache.js';
import type { LoopAction, LoopInfo } from './loop-info.js';
import { isRuntime } from './runtime-parts.js';
import type { AgentCacheSession } from './session.js';
import { isSession } from './session-state.js';

/** How a session watches the calls in it. Limits are whole numbers, or `Infinity` for none. */
export interface AgentCacheSessionOptions {
  /**
   * Names the session. Where several processes share a cache, the same id is the same session.
   * @defaultValue a random UUID
   */
  id?: string;
  /** Whether loops are looked for at all, depth included. @defaultValue `true` */
  loopDetection?: boolean;
  /** How many identical calls may run; the next one is a loop. @defaultValue `5` */
  maxToolRepeats?: number;
  /** How many calls may run in all, those of child sessions included. @defaultValue `50` */
  maxExecutionDepth?: number;
  /** How many calls of one tool may fail in a row. @defaultValue `8` */
  maxToolFailures?: number;
  /** How many calls in a row may bring nothing new. @defaultValue `20` */
  maxStagnantCalls?: number;
  /**
   * What is done about a loop: `'throw'` halts the session; `'warn'` runs the call all the same, with an
   * event; `'short-circuit'` answers with what the same call brought last; `'steer'` answers with a text
   * that tells the model what it repeats. A function decides, and may also say `'allow'`: no loop. Of
   * depth, which only `'warn'` lets be overrun, `'allow'` means `'throw'`.
   * @defaultValue `'throw'`
   */
  onLoop?: LoopAction | ((loop: LoopInfo) => LoopAction | 'allow');
  /** The session this one is a part of: it charges that one's depth, sees its answers, and is halted with it. */
  parent?: AgentCacheSession;
  /** Ends the work of the session from outside: its own signal fires with it, and later calls are refused. */
  signal?: AbortSignal;
  /** Whose sessions these are. @defaultValue the parent's, else the default one */
  runtime?: AgentCacheRuntime;
  /**
   * For a child: whether it sees the answers of its parent, and the reverse. What the one changes, the
   * other reads anew all the same.
   * @defaultValue `'shared'`
   */
  cache?: 'shared' | 'isolated';
}

/**
 * Checks the options of a session.
 *
 * @throws InvalidOptionError for one that cannot be meant
 */
export function checkSessionOptions(options: AgentCacheSessionOptions): void {
  if (typeof options !== 'object' || (options as unknown) === null) {
    throw new InvalidOptionError(
      `the options of a session must be an object, got ${describeValue(options)}`,
    );
  }
  const { cache, id, loopDetection, onLoop, parent, runtime, signal } = options;
  check(id === undefined || (typeof id === 'string' && id !== ''), 'id', 'a text', id);
  check(isOptional(loopDetection, 'boolean'), 'loopDetection', 'true or false', loopDetection);
  checkLimit(options.maxToolRepeats, 'maxToolRepeats');
  checkLimit(options.maxExecutionDepth, 'maxExecutionDepth');
  checkLimit(options.maxToolFailures, 'maxToolFailures');
  checkLimit(options.maxStagnantCalls, 'maxStagnantCalls');
  check(isOnLoop(onLoop), 'onLoop', `${ACTIONS.join(', ')} or a function`, onLoop);
  check(parent === undefined || isSession(parent), 'parent', 'a session', parent);
  check(runtime === undefined || isRuntime(runtime), 'runtime', 'of createAgentCache()', runtime);
  check(isSignal(signal), 'signal', 'an AbortSignal', signal);
  const isKnown = cache === undefined || ['shared', 'isolated'].includes(cache);
  check(isKnown, 'cache', "'shared' or 'isolated'", cache);
}

/** What may be done about a loop. */
export const ACTIONS: readonly LoopAction[] = ['throw', 'warn', 'short-circuit', 'steer'];

function checkLimit(limit: unknown, name: string): void {
  const isLimit = limit === Infinity || (Number.isInteger(limit) && (limit as number) >= 1);
  check(limit === undefined || isLimit, name, 'a whole number of at least 1, or Infinity', limit);
}

function isOnLoop(onLoop: unknown): boolean {
  if (onLoop === undefined || typeof onLoop === 'function') return true;
  return ACTIONS.includes(onLoop as LoopAction);
}

function isSignal(signal: unknown): boolean {
  if (signal === undefined) return true;
  const { addEventListener } = (signal ?? {}) as { addEventListener?: unknown };
  return typeof addEventListener === 'function';
}

function isOptional(value: unknown, type: string): boolean {
  return value === undefined || typeof value === type;
}

function check(valid: boolean, name: string, expected: string, got: unknown): void {
  if (valid) return;
  throw new InvalidOptionError(`${name} must be ${expected}, got ${describeValue(got)}`);
}

import type { Attributes } from '@opentelemetry/api';
import type { CallOutcome, ObservedCall } from '../agent-observer.js';

/** What spans may hold of what users and models say. */
export interface CapturedContent {
  /** Whether spans hold the arguments of calls, as JSON. They may be private. @defaultValue `false` */
  arguments?: boolean;
  /** Whether spans hold what calls are answered with, as JSON. It may be private. @defaultValue `false` */
  results?: boolean;
}

/** What is known of a call when it begins. */
export function attributesOfCall(call: ObservedCall, captured: CapturedContent): Attributes {
  return {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': call.tool,
    'acache.scope': call.scope,
    ...(call.callId !== undefined && { 'gen_ai.tool.call.id': call.callId }),
    ...(call.sessionId !== undefined && { 'acache.session.id': call.sessionId }),
    ...(captured.arguments === true && { 'gen_ai.tool.call.arguments': asJson(call.args) }),
  };
}

/** What is known when it has ended. */
export function attributesOfOutcome(outcome: CallOutcome, captured: CapturedContent): Attributes {
  const { error, failed, loop, status, value } = outcome;
  return {
    'acache.cache.status': status,
    ...(loop !== undefined && { 'acache.loop.kind': loop.kind }),
    ...(failed && { 'error.type': errorType(error) }),
    ...(captured.results === true && !failed && { 'gen_ai.tool.call.result': asJson(value) }),
  };
}

/** The code or the name of an error: never its message, which may quote arguments. */
function errorType(error: unknown): string {
  // A result that is a failure has no error.
  if (typeof error !== 'object' || error === null)
    return error === undefined ? 'tool_error' : '_OTHER';
  const { code, name } = error as { code?: unknown; name?: unknown };
  if (typeof code === 'string') return code;
  return typeof name === 'string' ? name : '_OTHER';
}

function asJson(value: unknown): string {
  try {
    const json = JSON.stringify(value, withBigInts) as string | undefined;
    return json ?? 'undefined';
  } catch {
    return '[not JSON]';
  }
}

function withBigInts(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

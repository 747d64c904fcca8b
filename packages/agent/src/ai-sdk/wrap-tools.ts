import { InvalidOptionError } from '@acache/core';
import { AdaptedTool, type ToolTraits } from '../adapter/adapted-tool.js';
import type { AdapterPolicy, AdapterScope, WrapToolsOptions } from '../adapter/adapter-options.js';
import { steerByError } from '../adapter/steer-by-error.js';
import { standInFor } from '../adapter/stand-in.js';
import { asItIs, wrapRecord } from '../adapter/wrap-collection.js';
import { withSignal } from '../adapter/with-members.js';
import { checkNotWrapped, markWrapped } from '../adapter/wrapped.js';

/** How one tool is wrapped: a tool has no name of its own, so its policy needs one. */
export type WrapToolOptions = AdapterScope & { readonly policy: AdapterPolicy & { name: string } };

/** What is known of a tool of `ai`, of each of its kinds and versions. */
interface AiTool {
  readonly execute?: Execute | undefined;
  readonly contextSchema?: unknown;
}

type Execute = (this: unknown, input: unknown, options?: ExecuteOptions) => unknown;

interface ExecuteOptions {
  readonly toolCallId?: string;
  readonly abortSignal?: AbortSignal | undefined;
  /** Of version 7. */
  readonly context?: unknown;
  /** Of version 6. */
  readonly experimental_context?: unknown;
}

/**
 * Wraps a tool set, for `generateText`, `streamText` and agents: the same tools, whose calls are cached by
 * their policies and watched for loops.
 *
 * ```ts
 * const tools = wrapTools({ getCart, addToCart }, {
 *   policies: {
 *     getCart: { effect: 'read', resource: 'cart:{userId}' },
 *     addToCart: { effect: 'mutate', resource: 'cart:{userId}' },
 *   },
 * });
 * ```
 *
 * Functions of a policy are called with the tool's input; `vary` with the options of the execution, too.
 * A tool that the SDK does not execute is as it was.
 *
 * @throws InvalidOptionError for a policy that names no tool of the set, or cannot be meant
 */
export function wrapTools<TOOLS extends Readonly<Record<string, object>>>(
  tools: TOOLS,
  options: WrapToolsOptions<keyof TOOLS & string> = {},
): TOOLS {
  return wrapRecord(tools, 'execute', options, guardedTool);
}

/**
 * Wraps one tool.
 *
 * @throws InvalidOptionError for a policy without a name, or one that cannot be meant
 */
export function wrapTool<T extends object>(tool: T, { policy, ...scope }: WrapToolOptions): T {
  if (typeof (policy as { name?: unknown } | undefined)?.name !== 'string') {
    throw new InvalidOptionError(
      'wrapTool needs the name of the tool: { policy: { name: "get_cart", effect: "read" } }',
    );
  }
  return guardedTool(policy.name, tool, policy, scope) as T;
}

function guardedTool(
  name: string,
  tool: AiTool,
  policy: AdapterPolicy | undefined,
  scope: AdapterScope,
): object {
  const { execute } = tool;
  if (typeof execute !== 'function') {
    return asItIs(name, tool, policy, 'has no execute');
  }
  checkNotWrapped(execute, name);
  const adapted = new AdaptedTool(name, policy, traitsOf(tool), scope);
  const streams = policy?.stream ?? isAsyncGeneratorFunction(execute);
  return standInFor(tool, 'execute', markWrapped(guarded(adapted, tool, execute, streams)));
}

function traitsOf(tool: AiTool): ToolTraits {
  return {
    identity: () => 'ai-sdk',
    isError: isErrorValue,
    reads: tool.contextSchema === undefined ? undefined : 'contextSchema',
  };
}

/** Tools of MCP servers fail by a value. */
function isErrorValue(output: unknown): boolean {
  return (output as { isError?: unknown } | null | undefined)?.isError === true;
}

function guarded(
  adapted: AdaptedTool,
  tool: AiTool,
  execute: Execute,
  declaredToStream: boolean,
): Execute {
  let streams = declaredToStream;

  /** Of a tool that is not known to yield: what it yields before its answer is lost, this once. */
  const answered = (input: unknown, options: ExecuteOptions): Promise<unknown> =>
    adapted.call(
      [input],
      (context) => {
        const output = execute.call(tool, input, withSignal(options, 'abortSignal', context));
        if (!isAsyncIterable(output)) return output;
        streams = true;
        return lastOf(output);
      },
      callOf(options),
    );

  const streamed = (input: unknown, options: ExecuteOptions): AsyncIterable<unknown> =>
    adapted.stream(
      [input],
      async function* (context): AsyncGenerator {
        const output = execute.call(tool, input, withSignal(options, 'abortSignal', context));
        if (isAsyncIterable(output)) yield* output;
        else yield await output;
      },
      callOf(options),
    );

  // Not an async function: the SDK looks at what is returned to tell whether it is a stream.
  return (input, options?: ExecuteOptions) =>
    streams ? streamed(input, options ?? {}) : answered(input, options ?? {});
}

function callOf(options: ExecuteOptions) {
  return {
    callId: options.toolCallId,
    signal: options.abortSignal,
    context: options,
    hasContext: options.context !== undefined || options.experimental_context !== undefined,
    steered: steerByError,
  };
}

async function lastOf(items: AsyncIterable<unknown>): Promise<unknown> {
  let last: unknown = undefined;
  for await (const item of items) last = item;
  return last;
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function isAsyncGeneratorFunction(fn: unknown): boolean {
  return Object.prototype.toString.call(fn) === '[object AsyncGeneratorFunction]';
}

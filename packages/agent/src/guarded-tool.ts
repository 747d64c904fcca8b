import { onAbort } from '@acache/core';
import { CallWatch } from './call-watch.js';
import type { LoopInfo } from './loop-info.js';
import { mutationCall } from './mutation-call.js';
import { readCall } from './read-call.js';
import type { AgentCacheSession } from './session.js';
import { currentFrame, type SessionFrame } from './session-context.js';
import { mutationStream, plainStream, readStream, type Answering } from './streaming-call.js';
import { ToolCall, type CallResult, type RunContext, type RunTool } from './tool-call.js';
import type { Tool } from './tool.js';
import type { ToolEffect } from './tool-policy.js';

export type { RunContext } from './tool-call.js';

/** How one call is made. */
export interface CallOptions {
  /** What the call belongs to. @defaultValue the session it is called in */
  session?: AgentCacheSession | undefined;
  /** Lets this caller leave: it rejects with the signal's reason, and a tool that nobody waits for is told. */
  signal?: AbortSignal | undefined;
  /** What the SDK calls this call, for events and observers. */
  callId?: string | undefined;
  /** The `this` of the call, for `vary`. */
  self?: unknown;
  /** What the SDK hands the tool besides its arguments; `vary` is given it after them. */
  context?: unknown;
  /** What answers a loop instead of the tool, in the SDK's own form. @defaultValue the text itself */
  steered?: ((message: string, loop: LoopInfo) => unknown) | undefined;
}

/** A tool whose calls are cached and watched, as adapters use it. */
export interface GuardedTool {
  readonly name: string;
  readonly effect: ToolEffect;
  /**
   * Answers a call: from the cache, by the same call that runs, or by `run`.
   *
   * @throws (rejects) what `run` throws, unchanged; AgentLoopDetectedError for a loop; CacheError
   *   `ERR_ACACHE_SESSION_ENDED`; the reason of the caller's signal
   */
  call<T>(
    args: readonly unknown[],
    run: (context: RunContext) => T | PromiseLike<T>,
    options?: CallOptions,
  ): Promise<T>;
  /**
   * The same for a tool that yields: its last item is the answer. One from the cache is yielded alone; a
   * stream that fails or is left is not stored. The call begins with the first item that is asked for.
   */
  stream<T>(
    args: readonly unknown[],
    run: (context: RunContext) => AsyncIterable<T> | PromiseLike<AsyncIterable<T>>,
    options?: CallOptions,
  ): AsyncGenerator<T>;
}

/** What a call is besides its arguments, within the package. */
export interface InnerCallOptions extends CallOptions {
  /** Tells the instance of a method apart. */
  instance?: string | undefined;
}

/** The path of every call: its session, admission, the answer, and what is learnt of it. */
export class ToolGuard implements GuardedTool {
  readonly #tool: Tool;

  constructor(tool: Tool) {
    this.#tool = tool;
  }

  get name(): string {
    return this.#tool.name;
  }

  get effect(): ToolEffect {
    return this.#tool.effect;
  }

  async call<T>(
    args: readonly unknown[],
    run: (context: RunContext) => T | PromiseLike<T>,
    options: InnerCallOptions = {},
  ): Promise<T> {
    const call = this.#begin(args, options, frameFor(options.session), options.signal);
    const watch = new CallWatch(call, options.steered);
    try {
      const diverted = watch.admit();
      const result =
        diverted === undefined ? await this.#run(call, run) : { value: diverted(), fresh: false };
      return watch.settled(result) as T;
    } catch (error) {
      throw watch.failed(error);
    }
  }

  stream<T>(
    args: readonly unknown[],
    run: (context: RunContext) => AsyncIterable<T> | PromiseLike<AsyncIterable<T>>,
    options: InnerCallOptions = {},
  ): AsyncGenerator<T> {
    // Now, since the steps may be asked for elsewhere.
    return this.#stream(args, run, options, frameFor(options.session)) as AsyncGenerator<T>;
  }

  async *#stream(
    args: readonly unknown[],
    run: (context: RunContext) => AsyncIterable<unknown> | PromiseLike<AsyncIterable<unknown>>,
    options: InnerCallOptions,
    frame: SessionFrame | undefined,
  ): AsyncGenerator<unknown, void> {
    const leave = new AbortController();
    const { signal } = options;
    const unfollow = signal && onAbort(signal, () => leave.abort(signal.reason));
    if (signal?.aborted === true) leave.abort(signal.reason);
    const call = this.#begin(args, options, frame, leave.signal);
    const watch = new CallWatch(call, options.steered);
    let over = false;
    try {
      const diverted = watch.admit();
      let result: CallResult;
      if (diverted === undefined) result = yield* this.#answering(call, run, leave);
      else yield (result = { value: diverted(), fresh: false }).value;
      over = true;
      watch.settled(result);
    } catch (error) {
      over = true;
      throw watch.failed(error);
    } finally {
      unfollow?.();
      if (!over) watch.left();
    }
  }

  #begin(
    args: readonly unknown[],
    { callId, context, instance, self }: InnerCallOptions,
    frame: SessionFrame | undefined,
    signal: AbortSignal | undefined,
  ): ToolCall {
    const given = context === undefined ? [] : [context];
    return new ToolCall(this.#tool, { args, self, context: given, instance }, frame, {
      signal,
      callId,
    });
  }

  #run(call: ToolCall, run: RunTool): Promise<CallResult> {
    if (this.#tool.effect === 'read') return readCall(call, run);
    return this.#tool.effect === 'mutate' ? mutationCall(call, run) : plainCall(call, run);
  }

  #answering(
    call: ToolCall,
    run: (context: RunContext) => AsyncIterable<unknown> | PromiseLike<AsyncIterable<unknown>>,
    leave: AbortController,
  ): Answering {
    if (this.#tool.effect === 'read') return readStream(call, run, leave);
    return this.#tool.effect === 'mutate' ? mutationStream(call, run) : plainStream(call, run);
  }
}

/** A tool that nobody said anything about: it is watched, and runs. */
async function plainCall(call: ToolCall, run: RunTool): Promise<CallResult> {
  call.signal?.throwIfAborted();
  return { value: await call.inSession(() => run({ signal: call.signal })), fresh: true };
}

/** One that is bound beats one that is given, which beats the one around the call. */
function frameFor(given: AgentCacheSession | undefined): SessionFrame | undefined {
  const frame = currentFrame();
  if (frame?.bound === true || given === undefined) return frame;
  return { session: given, bound: false, loading: frame?.loading };
}

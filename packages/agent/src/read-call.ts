import type { GetOptions, LoadContext, ReadResult } from '@acache/core';
import { answerKey } from './call-key.js';
import { isOneShot } from './one-shot.js';
import { readTags } from './resource-tags.js';
import { currentFrame, isLoading, type RunningLoad } from './session-context.js';
import type { CallResult, RunTool, ToolCall } from './tool-call.js';
import { isToolFailure, ToolFailure } from './tool-failure.js';
import { warnOnce } from './warn-once.js';

/** Answers a read from the cache, by the same call that runs, or by its tool. */
export async function readCall(call: ToolCall, run: RunTool): Promise<CallResult> {
  const { state, token, tool } = call;
  const isGlobal = tool.scope === 'global';
  if (token === undefined || (state === undefined && !isGlobal)) return readUncached(call, run);
  const { cache, invalidations, reads } = tool.parts;
  const owner = isGlobal ? undefined : state;
  owner?.touch(tool.parts);
  const key = answerKey(owner?.partition, token, invalidations.generation);
  const tags = readTags(call.resources, owner, tool.tags);
  const within = currentFrame()?.loading;
  if (wouldWaitForItself(call, key, within)) return runUncached(call, run);
  if (tool.parts.isDoubtful(tags, call.about)) return runUncached(call, run);
  call.loads(key);
  const load = new ToolLoad(call, run, tags);
  const waiting = reads.wait(key, within);
  let read: ReadResult<unknown>;
  try {
    const options: GetOptions<string> = {
      ...tool.entry,
      loader(_key, context) {
        waiting.loads();
        return load.begin(context);
      },
      tags: [...tags, ...tool.tags],
      // A failure of a tool is no answer, whatever the cache does with those of others.
      errorTtl: 0,
      ...(call.signal !== undefined && { signal: call.signal }),
    };
    const reading = cache.getWithMeta(key, options);
    if (!load.begun) waiting.joins();
    read = await reading;
  } catch (error) {
    return await withoutCache(call, run, load, error);
  } finally {
    waiting.done();
  }
  return answered(call, run, read);
}

/**
 * Whether the call is a part of the very load that it would wait for, as in a tool that calls itself or
 * was wrapped twice under one name, or of one that this load waits for.
 */
function wouldWaitForItself(
  { tool }: ToolCall,
  key: string,
  within: RunningLoad | undefined,
): boolean {
  if (within === undefined) return false;
  const { cache, reads } = tool.parts;
  return isLoading(cache, key) || reads.waitsFor(key, within);
}

/** A read that nothing can be kept of. */
function readUncached(call: ToolCall, run: RunTool): Promise<CallResult> {
  const { name } = call.tool;
  if (call.token !== undefined) {
    const message = `${name} was called without a session and is not cached: call it inside session.run(), or give it scope: 'global'`;
    warnOnce(call.tool, 'ACACHE_AGENT_NO_SESSION', message);
  } else {
    const message = `${name} was called with arguments that cannot be compared, a function say, and is not cached: give it a key`;
    warnOnce(call.tool, 'ACACHE_AGENT_UNKEYABLE', message);
  }
  return runUncached(call, run);
}

async function runUncached(call: ToolCall, run: RunTool): Promise<CallResult> {
  missed(call);
  call.count('loads');
  call.signal?.throwIfAborted();
  return { value: await call.inSession(() => run({ signal: call.signal })), fresh: true };
}

/** What the cache rejected with: the tool's error, the caller's reason, or its own trouble. */
async function withoutCache(
  call: ToolCall,
  run: RunTool,
  load: ToolLoad,
  error: unknown,
): Promise<CallResult> {
  const joined = !load.begun && isToolFailure(error);
  missed(call, joined);
  if (isToolFailure(error)) throw error.cause;
  if (call.hasLeft(error) || isTimeout(error)) throw error;
  // A cache that fails never fails a tool.
  call.tool.parts.report(error, 'cache', call.about);
  return { value: await load.withoutCache(), fresh: true };
}

async function answered(
  call: ToolCall,
  run: RunTool,
  { status, value }: ReadResult<unknown>,
): Promise<CallResult> {
  if (status === 'miss' || status === 'joined') {
    missed(call, status === 'joined');
    // What the other one was given is gone for this one.
    if (status === 'joined' && isOneShot(value)) {
      call.count('loads');
      return { value: await call.inSession(() => run({ signal: call.signal })), fresh: true };
    }
    return { value: copied(call, value), fresh: true };
  }
  call.count('hits');
  call.status = status === 'hit' ? 'hit' : 'stale';
  call.tell('hit');
  return { value: copied(call, value), fresh: false };
}

function missed(call: ToolCall, joined = false): void {
  call.count('misses');
  if (joined) call.count('joined');
  call.status = joined ? 'joined' : 'miss';
  call.tell('miss');
  if (joined) call.tell('joined');
}

/** A copy for a caller; the value itself where none can be made. */
export function copied(call: ToolCall, value: unknown): unknown {
  const copy = call.copy(value);
  return copy === undefined ? value : copy.value;
}

/** A timeout that the user gave the cache is the caller's to see. */
function isTimeout(error: unknown): boolean {
  return (error as { code?: unknown } | null | undefined)?.code === 'ERR_ACACHE_LOAD_TIMEOUT';
}

/** The run of the tool that a read may begin. */
class ToolLoad {
  readonly #call: ToolCall;
  readonly #run: RunTool;
  readonly #tags: readonly string[];
  #running: Promise<unknown> | undefined = undefined;

  constructor(call: ToolCall, run: RunTool, tags: readonly string[]) {
    this.#call = call;
    this.#run = run;
    this.#tags = tags;
  }

  get begun(): boolean {
    return this.#running !== undefined;
  }

  /** As the cache's loader. */
  async begin(context: LoadContext<unknown>): Promise<unknown> {
    const call = this.#call;
    const overlap = call.tool.parts.active.load(this.#tags);
    try {
      // Whoever does not look at the signal does not pay for it.
      const value = await this.#start({
        get signal() {
          return context.signal;
        },
      });
      if (overlap.straddled) {
        call.count('straddled');
        call.tell('straddled');
      }
      return this.#kept(value, context, overlap.straddled);
    } catch (error) {
      throw new ToolFailure(error);
    } finally {
      overlap.done();
    }
  }

  /** What the tool brings, if the cache cannot say. */
  withoutCache(): Promise<unknown> {
    return this.#running ?? this.#start({ signal: this.#call.signal });
  }

  #start(context: { readonly signal: AbortSignal | undefined }): Promise<unknown> {
    const call = this.#call;
    call.count('loads');
    return (this.#running = call.inSession(async () => await this.#run(context)));
  }

  /** What the cache is given of a result: a copy, since the tool may go on changing what it returned. */
  #kept(value: unknown, context: LoadContext<unknown>, straddled: boolean): unknown {
    const copy = isOneShot(value) ? undefined : this.#call.copy(value);
    if (copy === undefined || straddled || !this.#call.isStorable(value)) context.skipStore();
    return copy === undefined ? value : copy.value;
  }
}

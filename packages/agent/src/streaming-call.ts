import { beginMutation } from './mutation-call.js';
import { copied, readCall } from './read-call.js';
import { stepsWithin } from './steps-within.js';
import { Handover } from './handover.js';
import { NOTHING, type CallResult, type RunContext, type ToolCall } from './tool-call.js';

/** Runs a tool whose answer is the last item of an iterable. */
export type StreamTool = (
  context: RunContext,
) => AsyncIterable<unknown> | PromiseLike<AsyncIterable<unknown>>;

/** Yields what the tool yields, and returns its answer: the last item. */
export type Answering = AsyncGenerator<unknown, CallResult>;

/** A tool that nobody said anything about, or a read that nothing can be kept of. */
export async function* plainStream(call: ToolCall, run: StreamTool): Answering {
  call.signal?.throwIfAborted();
  const source = await call.inSession(() => run({ signal: call.signal }));
  let last: unknown = NOTHING;
  for await (const item of stepsWithin((work) => call.inSession(work), source)) {
    // Where it may be asked for again, what the consumer does to it must not be seen.
    last = call.state?.outcomes === undefined ? item : copied(call, item);
    yield item;
  }
  return { value: last, fresh: true };
}

/** A mutation is over when its stream is, also when that fails or is left. */
export async function* mutationStream(call: ToolCall, run: StreamTool): Answering {
  call.signal?.throwIfAborted();
  const mutation = beginMutation(call);
  await mutation.ready;
  try {
    return yield* plainStream(call, run);
  } finally {
    await mutation.end();
  }
}

/**
 * A read: from the cache, or from the same call that runs, comes the answer alone. A stream that its
 * consumer leaves is stopped, unless others wait for its answer. For those it does not wait for its
 * consumer either: what that has not taken yet is kept for it.
 *
 * @param leave - of which `call.signal` is the signal
 */
export async function* readStream(
  call: ToolCall,
  run: StreamTool,
  leave: AbortController,
): Answering {
  const items = new Handover<unknown>();
  const source = new Source(call, run, items);
  const reading = readCall(call, (context) => source.pump(context));
  reading.then(
    () => items.end(),
    () => (leave.signal.aborted ? items.close() : items.end()),
  );
  let left = true;
  try {
    let yielded = false;
    let aborted = false;
    for (let item = await items.take(); item !== undefined; item = await items.take()) {
      yielded = true;
      yield item.value;
      aborted = leave.signal.aborted;
      if (aborted) break;
    }
    left = false;
    const result = await reading;
    // The tool has come to its end, and its consumer has not.
    if (aborted) leave.signal.throwIfAborted();
    // What came from elsewhere in the end, a stale answer to a slow tool say, is the last item all the same.
    const isYielded = yielded && call.status === 'miss';
    if (!isYielded && result.value !== NOTHING) yield result.value;
    return result;
  } finally {
    if (left) {
      leave.abort(new DOMException('the consumer has left the stream', 'AbortError'));
      items.close();
      await reading.catch(() => undefined);
      await source.stopped();
    }
  }
}

/** The tool's own stream, driven to its end, so that its answer can be shared and stored. */
class Source {
  readonly #call: ToolCall;
  readonly #run: StreamTool;
  readonly #items: Handover<unknown>;
  #running: Promise<unknown> | undefined = undefined;
  #signal: AbortSignal | undefined = undefined;

  constructor(call: ToolCall, run: StreamTool, items: Handover<unknown>) {
    this.#call = call;
    this.#run = run;
    this.#items = items;
  }

  pump(context: RunContext): Promise<unknown> {
    this.#signal = context.signal;
    return (this.#running = this.#pump(context));
  }

  /** Settles at its end where nobody waits for it any more, as the end of any generator is waited for. */
  async stopped(): Promise<void> {
    if (this.#signal?.aborted === true) await this.#running?.catch(() => undefined);
  }

  async #pump(context: RunContext): Promise<unknown> {
    const { key, tool } = this.#call;
    const items = this.#items;
    const end = key === undefined ? undefined : tool.parts.reads.stream(key, () => items.flow());
    try {
      let last: unknown = NOTHING;
      for await (const item of await this.#run(context)) {
        last = item;
        // A copy, since this one is the answer for others if it is the last.
        await items.push(copied(this.#call, item));
        // To leave the loop ends the tool's stream.
        this.#signal?.throwIfAborted();
      }
      return last;
    } finally {
      end?.();
    }
  }
}

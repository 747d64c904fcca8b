import { beginMutation } from './mutation-call.js';
import { readCall } from './read-call.js';
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
    last = item;
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
 * consumer leaves is stopped, unless others wait for its answer.
 *
 * @param leave - of which `call.signal` is the signal
 */
export async function* readStream(
  call: ToolCall,
  run: StreamTool,
  leave: AbortController,
): Answering {
  const items = new Handover<unknown>();
  const source = new Source(run, items);
  const close = (): void => items.close();
  const reading = readCall(call, (context) => source.pump(context));
  reading.then(close, close);
  let left = true;
  try {
    let yielded = false;
    for (let item = await items.take(); item !== undefined; item = await items.take()) {
      yielded = true;
      yield item.value;
    }
    left = false;
    const result = await reading;
    if (!yielded && result.value !== NOTHING) yield result.value;
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
  readonly #run: StreamTool;
  readonly #items: Handover<unknown>;
  #running: Promise<unknown> | undefined = undefined;
  #signal: AbortSignal | undefined = undefined;

  constructor(run: StreamTool, items: Handover<unknown>) {
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
    let last: unknown = NOTHING;
    for await (const item of await this.#run(context)) {
      last = item;
      await this.#items.push(item);
      // To leave the loop ends the tool's stream.
      this.#signal?.throwIfAborted();
    }
    return last;
  }
}

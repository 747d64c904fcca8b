/** A call that the model makes. */
export interface ModelCall {
  readonly tool: string;
  readonly input?: unknown;
}

/** What the model answers at one step: calls of tools, or a text. */
export type ModelStep = readonly ModelCall[] | string;

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: 1, text: 1, reasoning: undefined },
};

/**
 * What `MockLanguageModelV3` (`ai` 6) and `V4` (`ai` 7) take to answer step by step; past the last step
 * the model repeats it.
 */
export function modelScript(steps: readonly ModelStep[]) {
  let step = 0;
  const next = () => {
    const at = step++;
    const now = steps[Math.min(at, steps.length - 1)]!;
    const reason = typeof now === 'string' ? ('stop' as const) : ('tool-calls' as const);
    return { at, now, finishReason: { unified: reason, raw: reason } };
  };
  const callsOf = (calls: readonly ModelCall[], at: number) =>
    calls.map(({ tool, input = {} }, index) => ({
      type: 'tool-call' as const,
      toolCallId: `call-${at}-${index}`,
      toolName: tool,
      input: JSON.stringify(input),
    }));
  return {
    async doGenerate() {
      const { at, now, finishReason } = next();
      const content =
        typeof now === 'string' ? [{ type: 'text' as const, text: now }] : callsOf(now, at);
      return { content, finishReason, usage, warnings: [] };
    },
    async doStream() {
      const { at, now, finishReason } = next();
      const parts =
        typeof now === 'string'
          ? [
              { type: 'text-start' as const, id: 't' },
              { type: 'text-delta' as const, id: 't', delta: now },
              { type: 'text-end' as const, id: 't' },
            ]
          : callsOf(now, at);
      const all = [
        { type: 'stream-start' as const, warnings: [] },
        ...parts,
        { type: 'finish' as const, finishReason, usage },
      ];
      return { stream: streamOf(all) };
    },
  };
}

function streamOf<T>(items: readonly T[]): ReadableStream<T> {
  return new ReadableStream<T>({
    start(controller) {
      for (const item of items) controller.enqueue(item);
      controller.close();
    },
  });
}

import { MockLanguageModelV4 } from 'ai/test';

/** A call that the model makes at one step; a text ends its run. */
export type Step = { readonly tool: string; readonly input: object } | string;

/** A model of the AI SDK that needs no network: at each step it does what the script says. */
export function scriptedModel(script: (step: number) => Step): MockLanguageModelV4 {
  let step = 0;
  return new MockLanguageModelV4({
    doGenerate: () => {
      const id = `call-${step}`;
      const now = script(step++);
      const reason = typeof now === 'string' ? 'stop' : 'tool-calls';
      return Promise.resolve({
        content: [
          typeof now === 'string'
            ? { type: 'text', text: now }
            : {
                type: 'tool-call',
                toolCallId: id,
                toolName: now.tool,
                input: JSON.stringify(now.input),
              },
        ],
        finishReason: { unified: reason, raw: reason },
        usage: {
          inputTokens: { total: 0, noCache: 0, cacheRead: 0, cacheWrite: 0 },
          outputTokens: { total: 0, text: 0, reasoning: 0 },
        },
        warnings: [],
      });
    },
  });
}

/** What a tool is handed besides its arguments. */
export interface ToolConfig {
  readonly signal?: AbortSignal | undefined;
  readonly toolCall?: { readonly id?: string | undefined } | undefined;
  readonly toolCallId?: string | undefined;
  readonly context?: unknown;
  readonly configurable?: Readonly<Record<string, unknown>> | undefined;
}

/** What of `configurable` is the graph's own. */
const OWN = /^(__|thread_id$|thread_ts$|checkpoint_|run_id$|assistant_id$|graph_id$)/;

/** Whether the user hands tools something that an answer for everybody may depend on. */
export function hasContext({ configurable, context }: ToolConfig): boolean {
  if (typeof context === 'object' && context !== null && Object.keys(context).length > 0) {
    return true;
  }
  return Object.keys(configurable ?? {}).some((key) => !OWN.test(key));
}

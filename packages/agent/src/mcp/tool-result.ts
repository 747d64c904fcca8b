/** What is looked at of the result of a tool call, in each version of the protocol. */
interface ToolResult {
  readonly isError?: unknown;
  readonly task?: unknown;
  readonly resultType?: unknown;
  readonly _meta?: Readonly<Record<string, unknown>> | undefined;
}

/** Whether a result is an error: MCP servers fail by a value. */
export function isErrorResult(result: unknown): boolean {
  return (result as ToolResult | null | undefined)?.isError === true;
}

/** Whether a result is an answer that may be given again: no task, no question, and not declared otherwise. */
export function isAnswer(result: unknown): boolean {
  if (typeof result !== 'object' || result === null) return false;
  const { _meta, resultType, task } = result as ToolResult;
  if (task !== undefined || isQuestion(resultType)) return false;
  return _meta?.cache_hint !== 'no-cache';
}

/** Whether a result asks for something before the tool goes on. */
export function isQuestion(resultType: unknown): boolean {
  return resultType !== undefined && resultType !== 'complete';
}

/** The error result that answers a loop. */
export function errorResult(message: string) {
  return { content: [{ type: 'text', text: message }], isError: true };
}

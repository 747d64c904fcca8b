/**
 * Whether a tool has made the message, or the command to the graph, itself: these carry the id of the one
 * call that they answer.
 */
export function isDirectOutput(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if ((value as { lc_direct_tool_output?: unknown }).lc_direct_tool_output === true) return true;
  return Array.isArray(value) ? value.some(isDirectOutput) : isCommand(value);
}

/** Whether it is a command to the graph. */
export function isCommand(value: unknown): boolean {
  const { lg_name } = (value ?? {}) as { lg_name?: unknown };
  return lg_name === 'Command' || lg_name === 'Send';
}

/** Whether it is a message that says that the tool has failed. */
export function isErrorMessage(value: unknown): boolean {
  return isDirectOutput(value) && (value as { status?: unknown } | undefined)?.status === 'error';
}

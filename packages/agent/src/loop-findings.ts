import type { LoopInfo } from './loop-info.js';

/** A loop, before it is known whose session it is in. */
export type LoopFinding = Omit<LoopInfo, 'sessionId'>;

/** The same call was made too often. */
export function repeatFinding(tool: string, count: number, limit: number): LoopFinding {
  const name = shown(tool);
  return {
    kind: 'repeat',
    tool,
    tools: [tool],
    count,
    limit,
    message: `Loop detected: ${name} was called ${count} times with the same arguments, at most ${limit} are allowed`,
    modelMessage:
      `You have called ${name} ${count} times with the same arguments, and this call was not run. ` +
      'Calling it again like this will not help: use what it has already answered, call it with other ' +
      'arguments, or do something else. If the task cannot be done, say so.',
  };
}

/** The same calls were made in the same order, round after round. */
export function cycleFinding(
  tool: string,
  tools: readonly string[],
  count: number,
  limit: number,
): LoopFinding {
  const names = tools.map(shown).join(' -> ');
  return {
    kind: 'cycle',
    tool,
    tools,
    count,
    limit,
    period: tools.length,
    message: `Cycle detected: ${names}`,
    modelMessage:
      `You are repeating the same calls in the same order (${names}) with the same arguments, round ` +
      `${count} of them, and this call to ${shown(tool)} was not run. Another round will not help: use ` +
      'what you already know, do something else, or say what keeps you from finishing.',
  };
}

/** Many calls in a row brought nothing new. */
export function stagnationFinding(tool: string, count: number, limit: number): LoopFinding {
  return {
    kind: 'no-progress',
    tool,
    tools: [tool],
    count,
    limit,
    message: `No progress: the last ${count} tool calls brought nothing new, and ${shown(tool)} was to follow`,
    modelMessage:
      `Your last ${count} tool calls brought nothing that you did not know before, and this call to ` +
      `${shown(tool)} was not run. Answer with what you have, or try something quite different.`,
  };
}

/** A tool failed again and again. */
export function stormFinding(tool: string, count: number, limit: number): LoopFinding {
  const name = shown(tool);
  return {
    kind: 'retry-storm',
    tool,
    tools: [tool],
    count,
    limit,
    message: `Retry storm: ${name} failed ${count} times in a row`,
    modelMessage:
      `${name} has failed ${count} times in a row, whatever its arguments, and this call was not run. ` +
      'Trying again will not help: find another way, or report that it does not work.',
  };
}

/**
 * A session made as many calls as it may.
 *
 * @param count - calls so far, this one included
 * @param limit - how many may run
 */
export function depthFinding(tool: string, count: number, limit: number): LoopFinding {
  const name = shown(tool);
  return {
    kind: 'depth',
    tool,
    tools: [tool],
    count,
    limit,
    message: `Execution depth exceeded: ${name} would be tool call ${count}, at most ${limit} are allowed`,
    modelMessage:
      `The limit of ${limit} tool calls is reached, and this call to ${name} was not run. Do not call ` +
      'any more tools: answer with what you know.',
  };
}

const LONGEST_NAME = 80;

/** Names of tools may come from a server that somebody else runs: no line breaks, and no essay. */
function shown(name: string): string {
  // eslint-disable-next-line no-control-regex
  const line = name.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
  return line.length > LONGEST_NAME ? `${line.slice(0, LONGEST_NAME)}…` : line;
}

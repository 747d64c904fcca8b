import { mutationTags } from './resource-tags.js';
import { pathText } from './resource-path.js';
import type { CallResult, RunTool, ToolCall } from './tool-call.js';

/**
 * Runs a mutation between two invalidations of what it concerns: the first revokes what is being read
 * now, the second what was read while it ran. It fails in its own way only.
 */
export async function mutationCall(call: ToolCall, run: RunTool): Promise<CallResult> {
  call.signal?.throwIfAborted();
  const mutation = beginMutation(call);
  await mutation.ready;
  try {
    return { value: await call.inSession(() => run({ signal: call.signal })), fresh: true };
  } finally {
    await mutation.end();
  }
}

/** A mutation that runs. */
export interface RunningMutation {
  /** Settles once what was cached before is gone. */
  readonly ready: Promise<void>;
  /** To be called when it is over; settles once what was cached meanwhile is gone. */
  end(): Promise<void>;
}

export function beginMutation(call: ToolCall): RunningMutation {
  const { about, tool } = call;
  const { parts } = tool;
  const tags = mutationTags(call.resources, reachOf(call), tool.tags);
  // Before anything is awaited: a read that begins from here on is not stored.
  const over = parts.active.begin(tags);
  const invalidate = () => parts.invalidate(tags, about);
  return {
    ready: invalidate(),
    async end() {
      try {
        await invalidate();
      } finally {
        over();
        call.count('invalidations');
        const resources = call.resources.map(pathText);
        parts.invalidated(resources, about);
      }
    },
  };
}

/** Whose answers a mutation concerns besides those for everybody. */
function reachOf({ state, tool }: ToolCall): Parameters<typeof mutationTags>[1] {
  if (tool.scope === 'global') return 'everybody';
  return state;
}

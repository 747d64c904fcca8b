import type { AgentCacheRuntime } from '../create-agent-cache.js';
import type { AgentCacheSession } from '../session.js';
import type { ToolEffect, ToolPolicy } from '../tool-policy.js';

/** The policy of one tool of a set: it has to say what the tool does. */
export type AdapterPolicy = ToolPolicy & { effect: ToolEffect };

/** What the calls of a tool set belong to. */
export interface AdapterScope {
  /** The session of the calls. @defaultValue the one they are made in, by `session.run()` */
  readonly session?: AgentCacheSession | undefined;
  /** Where answers are kept. @defaultValue that of the session, else the default one */
  readonly runtime?: AgentCacheRuntime | undefined;
}

/** How a tool set is wrapped. */
export interface WrapToolsOptions<Name extends string = string> extends AdapterScope {
  /**
   * Which tool reads and which changes something, and what. A tool without a policy runs as it does
   * without this package, and is only watched for loops.
   */
  readonly policies?: Readonly<Partial<Record<Name, AdapterPolicy>>> | undefined;
}

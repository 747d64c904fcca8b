import type { AdapterPolicy } from '../adapter/adapter-options.js';

/** What an MCP server says of a tool. Hints: a server may say anything. */
export interface ToolAnnotations {
  readonly readOnlyHint?: boolean | undefined;
  readonly destructiveHint?: boolean | undefined;
  readonly idempotentHint?: boolean | undefined;
  readonly openWorldHint?: boolean | undefined;
}

/**
 * The policy that a tool's annotations amount to: `readOnlyHint: true` reads, anything else changes
 * something. What it is that they read and change is not known, so that a change of one tool concerns all
 * that were read of its server.
 *
 * @param server - names the server
 */
export function policyFromAnnotations(
  annotations: ToolAnnotations | undefined,
  server: string,
): AdapterPolicy {
  const reads = annotations?.readOnlyHint === true;
  const resource = reads ? undeclared(server) : whole(server);
  return { effect: reads ? 'read' : 'mutate', resource: () => resource };
}

/**
 * A declared policy beside others that annotations made: its reads are concerned by changes of which it is
 * not known what they change, and its changes concern reads of which it is not known what they read.
 */
export function besideAnnotations(policy: AdapterPolicy, server: string): AdapterPolicy {
  const { effect, resource } = policy;
  if (effect === 'unknown') return policy;
  const further = effect === 'read' ? declared(server) : undeclared(server);
  if (resource === undefined) return { ...policy, resource: () => further };
  if (typeof resource !== 'function') {
    return {
      ...policy,
      resource: [
        ...(Array.isArray(resource) ? (resource as string[]) : [resource as string]),
        further,
      ],
    };
  }
  return {
    ...policy,
    resource: (...args: unknown[]) => {
      const paths = resource(...args);
      return [...(Array.isArray(paths) ? (paths as string[]) : [paths as string]), further];
    },
  };
}

function whole(server: string): string {
  return `mcp:${encodeURIComponent(server)}`;
}

function undeclared(server: string): string {
  return `${whole(server)}:undeclared`;
}

function declared(server: string): string {
  return `${whole(server)}:declared`;
}

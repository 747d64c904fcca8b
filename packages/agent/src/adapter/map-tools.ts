import { describeValue, InvalidOptionError } from '@acache/core';
import { withMembers } from './with-members.js';

/** How an SDK has its tools: each with its own name, or by the names of a record. */
export type ToolCollection =
  readonly object[] | ReadonlyMap<string, object> | Readonly<Record<string, object>>;

/** A tool of a collection, and what it is called. */
export type NamedTool = readonly [name: string, tool: object];

/**
 * The tools of a collection by their names: their own, where they have one, else that in the collection.
 *
 * @param member - what a tool runs by, which tells a single tool from a record of them
 * @throws InvalidOptionError for what is no collection of tools, such as a single one
 */
export function namedTools(
  tools: unknown,
  ownName: (tool: object) => unknown,
  member: string,
): readonly NamedTool[] {
  const all = checked(entriesOf(tools), tools, member, 'an array or a record of tools');
  return all.map(([key, tool]) => {
    const own = ownName(tool);
    return [typeof own === 'string' ? own : key, tool];
  });
}

/**
 * The tools of a record by their names there.
 *
 * @param member - what a tool runs by, which tells a single tool from a record of them
 * @throws InvalidOptionError for what is no record of tools, such as a single one
 */
export function recordedTools(tools: unknown, member: string): readonly NamedTool[] {
  const entries = isRecord(tools) ? Object.entries(tools) : undefined;
  return checked(entries, tools, member, 'a record of tools by name');
}

/** A collection of the same kind, with other tools in the same places. */
export function sameCollection<T>(original: T, tools: readonly object[]): T {
  if (Array.isArray(original)) return tools as unknown as T;
  const keys = (entriesOf(original) ?? []).map(([key]) => key);
  const entries = keys.map((key, at) => [key, tools[at]] as const);
  if (original instanceof Map) return new Map(entries) as T;
  return withMembers(original as object, Object.fromEntries(entries)) as T;
}

function checked(
  entries: readonly (readonly [string, unknown])[] | undefined,
  tools: unknown,
  member: string,
  wanted: string,
): readonly NamedTool[] {
  const isOne = tools instanceof Object && typeof Reflect.get(tools, member) === 'function';
  if (entries === undefined || isOne) {
    const got = isOne ? 'a single tool, for which there is wrapTool' : describeValue(tools);
    throw new InvalidOptionError(`wrapTools takes ${wanted}, got ${got}`);
  }
  for (const [name, tool] of entries) {
    if (typeof tool === 'function' || (typeof tool === 'object' && tool !== null)) continue;
    throw new InvalidOptionError(
      `wrapTools takes ${wanted}, and ${name} is none: got ${describeValue(tool)}`,
    );
  }
  return entries as readonly NamedTool[];
}

function entriesOf(tools: unknown): readonly (readonly [string, unknown])[] | undefined {
  if (Array.isArray(tools)) return Array.from(tools, (tool: unknown, at) => [String(at), tool]);
  if (tools instanceof Map) return [...(tools as Map<string, unknown>)];
  return isRecord(tools) ? Object.entries(tools) : undefined;
}

/** Whether something has its tools by name; a Set or an iterator has none, and would seem to be empty. */
function isRecord(tools: unknown): tools is object {
  return typeof tools === 'object' && tools !== null && !(Symbol.iterator in tools);
}

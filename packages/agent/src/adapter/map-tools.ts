import { describeValue, InvalidOptionError } from '@acache/core';

/** How an SDK has its tools: each with its own name, or by the names of a record. */
export type ToolCollection =
  readonly object[] | ReadonlyMap<string, object> | Readonly<Record<string, object>>;

/** A tool of a collection, and what it is called. */
export type NamedTool = readonly [name: string, tool: object];

/**
 * The tools of a collection by their names: their own, where they have one, else that in the collection.
 *
 * @throws InvalidOptionError for what is no collection of tools, such as a single one
 */
export function namedTools(
  tools: unknown,
  ownName: (tool: object) => unknown,
  member: string,
): readonly NamedTool[] {
  const entries = entriesOf(tools);
  const isOne = tools instanceof Object && typeof Reflect.get(tools, member) === 'function';
  if (entries === undefined || isOne || !entries.every(([, tool]) => tool instanceof Object)) {
    const got = isOne ? 'a single tool, for which there is wrapTool' : describeValue(tools);
    throw new InvalidOptionError(`wrapTools takes an array or a record of tools, got ${got}`);
  }
  return entries.map(([key, tool]) => {
    const own = ownName(tool as object);
    return [typeof own === 'string' ? own : key, tool as object];
  });
}

/** A collection of the same kind, with other tools in the same places. */
export function sameCollection<T>(original: T, tools: readonly object[]): T {
  if (Array.isArray(original)) return tools as unknown as T;
  const keys = (entriesOf(original) ?? []).map(([key]) => key);
  const entries = keys.map((key, at) => [key, tools[at]] as const);
  return (original instanceof Map ? new Map(entries) : Object.fromEntries(entries)) as T;
}

function entriesOf(tools: unknown): (readonly [string, unknown])[] | undefined {
  if (Array.isArray(tools)) return tools.map((tool: unknown, at) => [String(at), tool]);
  if (tools instanceof Map) return [...(tools as Map<string, unknown>)];
  return tools instanceof Object && typeof tools === 'object' ? Object.entries(tools) : undefined;
}

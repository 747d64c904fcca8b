import { InvalidOptionError } from '@acache/core';
import type { AdapterPolicy, AdapterScope, WrapToolsOptions } from './adapter-options.js';
import { namedTools, recordedTools, sameCollection, type ToolCollection } from './map-tools.js';
import { checkPolicyNames, policyOf } from './policy-of.js';

/** Makes the tool that takes the place of another one: what an adapter knows of its SDK. */
export type WrapOne = (
  name: string,
  tool: object,
  policy: AdapterPolicy | undefined,
  scope: AdapterScope,
) => object;

/**
 * Wraps tools that have names of their own, each by the policy of its name.
 *
 * @param member - what a tool runs by, which tells a single tool from a record of them
 * @throws InvalidOptionError for what is no collection of tools, and for a policy that names none of them
 */
export function wrapNamed<TOOLS extends ToolCollection>(
  tools: TOOLS,
  member: string,
  options: WrapToolsOptions,
  wrapOne: WrapOne,
): TOOLS {
  const { policies } = options;
  const all = namedTools(tools, nameOf, member);
  checkPolicyNames(
    policies,
    all.map(([name]) => name),
  );
  const wrapped = all.map(([name, tool]) => wrapOne(name, tool, policyOf(policies, name), options));
  return sameCollection(tools, wrapped);
}

/**
 * Wraps the tools of a record, each by the policy of its name there, or of the name that it has of its own.
 *
 * @param member - what a tool runs by, which tells a single tool from a record of them
 * @throws InvalidOptionError for what is no record of tools, and for a policy that names none of them
 */
export function wrapRecord<TOOLS extends Readonly<Record<string, object>>>(
  tools: TOOLS,
  member: string,
  options: WrapToolsOptions,
  wrapOne: WrapOne,
  ownName: (tool: object) => string | undefined = () => undefined,
): TOOLS {
  const { policies } = options;
  const named = new Set(Object.keys(policies ?? {}));
  const all = recordedTools(tools, member).map(
    ([name, tool]) => [name, tool, ownName(tool)] as const,
  );
  const owns = all.flatMap(([, , own]) => (own !== undefined && named.has(own) ? [own] : []));
  checkPolicyNames(policies, [...Object.keys(tools), ...owns]);
  const wrapped = all.map(([name, tool, own = name]) => {
    const policy = policyOf(policies, name) ?? policyOf(policies, own);
    return wrapOne(name, tool, policy, options);
  });
  return sameCollection(tools, wrapped);
}

/** What a tool calls itself; `undefined` where it does not. */
export function nameOf(tool: object): unknown {
  return (tool as { name?: unknown }).name;
}

/**
 * A tool that runs elsewhere, so that there is nothing to wrap: as it is.
 *
 * @param what - what it is or lacks, for the error: `'has no execute'`
 * @throws InvalidOptionError where it has a policy, which would have no effect
 */
export function asItIs(
  name: string,
  tool: object,
  policy: AdapterPolicy | undefined,
  what: string,
): object {
  if (policy === undefined) return tool;
  throw new InvalidOptionError(
    `${name} ${what}: it runs elsewhere, so there is nothing to cache or to watch`,
  );
}

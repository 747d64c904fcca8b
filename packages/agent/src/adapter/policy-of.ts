import { describeValue, InvalidOptionError } from '@acache/core';
import type { AdapterPolicy } from './adapter-options.js';

type Policies = Readonly<Record<string, AdapterPolicy | undefined>>;

/** The policy that a set has for a tool. */
export function policyOf(policies: Policies | undefined, name: string): AdapterPolicy | undefined {
  return policies !== undefined && Object.hasOwn(policies, name) ? policies[name] : undefined;
}

/**
 * Checks that each policy is for a tool of the set.
 *
 * @throws InvalidOptionError for one that is for none, with the names that there are
 */
export function checkPolicyNames(policies: Policies | undefined, names: Iterable<string>): void {
  const unknown = unknownNames(policies, names);
  if (unknown !== undefined) throw new InvalidOptionError(unknown);
}

/** Says which policies are for no tool of the set; `undefined` where each is for one. */
export function unknownNames(
  policies: Policies | undefined,
  names: Iterable<string>,
): string | undefined {
  if (policies === undefined) return undefined;
  if (typeof policies !== 'object' || (policies as unknown) === null) {
    return `policies must be an object of policies by name, got ${describeValue(policies)}`;
  }
  const known = new Set(names);
  const unknown = Object.keys(policies).filter((name) => !known.has(name));
  if (unknown.length === 0) return undefined;
  const tools = known.size === 0 ? 'there are no tools' : `the tools are ${[...known].join(', ')}`;
  return `policies name ${unknown.join(', ')}, but ${tools}`;
}

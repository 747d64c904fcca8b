import {
  checkTags,
  describeValue,
  InvalidOptionError,
  toMilliseconds,
  ttlToMilliseconds,
  type EntryOptions,
} from '@acache/core';
import { isolatedCopy } from './isolated-copy.js';
import { parseTemplate, type ResourceTemplate } from './resource-path.js';
import type { RuntimeParts } from './runtime-parts.js';
import type { ToolEffect, ToolPolicy } from './tool-policy.js';

/** A tool as its policy has it, checked. */
export interface Tool {
  readonly parts: RuntimeParts;
  readonly name: string;
  readonly effect: ToolEffect;
  /** What tells it apart from others of its name; a part of every key. */
  readonly identity: readonly unknown[];
  readonly scope: 'session' | 'global';
  readonly resource: readonly ResourceTemplate[] | ((...args: unknown[]) => unknown);
  readonly tags: readonly string[];
  /** The ttl and windows of its entries, where the policy has them. */
  readonly entry: Omit<EntryOptions, 'tags'>;
  readonly exempt: boolean;
  readonly maxRepeats: number | undefined;
  readonly copy: (value: unknown) => unknown;
  readonly policy: ToolPolicy;
  /** What it warned of, each once. */
  readonly warned: Set<string>;
}

/** What a policy is put on. */
export interface ToolSubject {
  readonly effect: ToolEffect;
  /** The function; `undefined` in an adapter, whose tools have names. */
  readonly fn?: object & { readonly name: string };
  /** Who asks, for errors, such as `AgentCache`. */
  readonly who: string;
}

/**
 * Checks a policy and takes it apart.
 *
 * @throws InvalidOptionError for what cannot be meant
 */
export function makeTool(policy: ToolPolicy, subject: ToolSubject, parts: RuntimeParts): Tool {
  checkPolicy(policy, subject.who);
  const { name, identity } = nameOf(policy, subject, parts);
  const { clone, loop, resource, scope = 'session', tags, version } = policy;
  const { ttl, staleWhileRevalidate, staleIfError } = policy;
  return {
    parts,
    name,
    effect: subject.effect,
    identity: [identity, version],
    scope,
    resource: templatesOf(resource),
    tags: tags === undefined ? [] : checkTags(tags),
    entry: {
      ...(ttl !== undefined && { ttl }),
      ...(staleWhileRevalidate !== undefined && { staleWhileRevalidate }),
      ...(staleIfError !== undefined && { staleIfError }),
    },
    exempt: loop === false || loop?.poll === true,
    maxRepeats: loop === false ? undefined : loop?.maxRepeats,
    copy: clone === false ? same : (clone ?? isolatedCopy),
    policy,
    warned: new Set(),
  };
}

/**
 * Checks a policy, as far as it does not depend on what it is put on.
 *
 * @throws InvalidOptionError for what cannot be meant
 */
export function checkPolicy(policy: ToolPolicy, who: string): void {
  const check = (valid: boolean, what: string, expected: string, got: unknown): void => {
    if (valid) return;
    throw new InvalidOptionError(
      `the ${what} of ${who} must be ${expected}, got ${describeValue(got)}`,
    );
  };
  const given: unknown = policy;
  check(typeof given === 'object' && given !== null, 'policy', 'an object', given);
  const { clone, effect, loop, name, scope, stream, version } = policy;
  check(name === undefined || isText(name), 'name', 'a text', name);
  check(isOneOf(effect, ['read', 'mutate', 'unknown']), 'effect', "'read' or 'mutate'", effect);
  check(isOneOf(scope, ['session', 'global']), 'scope', "'session' or 'global'", scope);
  check(isOptional(stream, 'boolean'), 'stream', 'true or false', stream);
  const isVersion = isOptional(version, 'string') || typeof version === 'number';
  check(isVersion, 'version', 'a text or a number', version);
  check(clone === false || isOptional(clone, 'function'), 'clone', 'false or a function', clone);
  for (const option of ['key', 'vary', 'shouldCache', 'isError'] as const) {
    check(isOptional(policy[option], 'function'), option, 'a function', policy[option]);
  }
  checkLoop(loop, check);
  templatesOf(policy.resource);
  checkTags(policy.tags ?? []);
  checkTimes(policy);
}

function checkLoop(
  loop: ToolPolicy['loop'],
  check: (valid: boolean, what: string, expected: string, got: unknown) => void,
): void {
  if (loop === undefined || loop === false) return;
  const given: unknown = loop;
  check(typeof given === 'object' && given !== null, 'loop', 'false or an object', given);
  const { maxRepeats, poll } = loop;
  check(isOptional(poll, 'boolean'), 'loop.poll', 'true or false', poll);
  const isLimit =
    maxRepeats === undefined ||
    maxRepeats === Infinity ||
    (Number.isInteger(maxRepeats) && maxRepeats >= 1);
  check(isLimit, 'loop.maxRepeats', 'a whole number of at least 1, or Infinity', maxRepeats);
}

function checkTimes({ ttl, staleWhileRevalidate, staleIfError }: ToolPolicy): void {
  if (ttl !== undefined) ttlToMilliseconds(ttl);
  if (staleWhileRevalidate !== undefined) {
    toMilliseconds(staleWhileRevalidate, 'staleWhileRevalidate');
  }
  if (staleIfError !== undefined) toMilliseconds(staleIfError, 'staleIfError');
}

function templatesOf(resource: ToolPolicy['resource']): Tool['resource'] {
  if (resource === undefined) return [];
  if (typeof resource === 'function') return resource;
  return (Array.isArray(resource) ? (resource as unknown[]) : [resource]).map(parseTemplate);
}

function nameOf(
  { name }: ToolPolicy,
  { fn, who }: ToolSubject,
  parts: RuntimeParts,
): { name: string; identity: unknown } {
  if (name !== undefined) {
    if (fn !== undefined) parts.names.given(fn, name);
    return { name, identity: undefined };
  }
  const inferred = fn?.name ?? '';
  // That of a bound function says only that it is bound.
  if (fn === undefined || /^(bound )*$/.test(inferred)) {
    throw new InvalidOptionError(`${who} needs a name for an anonymous function: { name: '…' }`);
  }
  return { name: inferred, identity: parts.names.inferred(fn, inferred) };
}

function same(value: unknown): unknown {
  return value;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isOneOf(value: unknown, known: readonly unknown[]): boolean {
  return value === undefined || known.includes(value);
}

function isOptional(value: unknown, type: string): boolean {
  return value === undefined || typeof value === type;
}

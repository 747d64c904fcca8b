import { makeKey } from '@acache/core';
import type { Tool } from './tool.js';

/** Whom and what a call is made with, besides its tool. */
export interface CallSubject {
  readonly args: readonly unknown[];
  /** The `this` of the call. */
  readonly self: unknown;
  /** What the SDK hands the tool besides its arguments, in an array; empty where there is nothing. */
  readonly context: readonly unknown[];
  /** Tells the instance of a method apart. */
  readonly instance: string | undefined;
}

/**
 * What makes two calls the same: the tool, its arguments (or `key`) and what it varies by. Equal in every
 * process.
 *
 * @returns `undefined` where something of it cannot be compared, such as a function among the arguments
 * @throws what `key` and `vary` throw
 */
export function callToken(tool: Tool, subject: CallSubject): string | undefined {
  const { key, vary } = tool.policy;
  const { args, context, instance, self } = subject;
  const by = key === undefined ? args : [key(...args)];
  const varied: unknown = vary?.apply(self, [...args, ...context]);
  try {
    return makeKey(tool.name, [...tool.identity, instance, varied, ...by]);
  } catch {
    return undefined;
  }
}

/**
 * The key of a call's answer in the cache, among those of a partition or, with none, of everybody.
 *
 * @param generation - of the cache's content; `''` at first
 */
export function answerKey(
  partition: string | undefined,
  token: string,
  generation: string,
): string {
  return `agent${generation}|${partition ?? 'g'}|${token}`;
}

const instances = new WeakMap<object, string>();

/** A text that tells an object from every other, in other processes too. */
export function instanceId(instance: object): string {
  const known = instances.get(instance);
  if (known !== undefined) return known;
  const id = crypto.randomUUID();
  instances.set(instance, id);
  return id;
}

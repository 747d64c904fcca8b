import { describeValue, InvalidOptionError } from '@acache/core';
import type { AnyFunction } from './any-function.js';
import { instanceId } from './call-key.js';
import type { AsyncMethod, Guarded } from './guarded-function.js';
import { ToolGuard } from './guarded-tool.js';
import { likeOriginal } from './like-original.js';
import type { RuntimeParts } from './runtime-parts.js';
import { makeTool } from './tool.js';
import type { ToolEffect, ToolPolicy } from './tool-policy.js';
import { checkPolicy } from './tool.js';

export type { Guarded } from './guarded-function.js';

/** Guards what it is put on: a function, or a method by a decorator of either kind. */
export interface ToolDecorator {
  /** As a TC39 method decorator. */
  <This, F extends AsyncMethod<This>>(method: F, context: ClassMethodDecoratorContext<This, F>): F;
  /** As a legacy (`experimentalDecorators`) method decorator. */
  <F extends AsyncMethod>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<F>,
  ): TypedPropertyDescriptor<F>;
  /** As a wrapper. */
  <F extends AnyFunction>(fn: F, context?: never): Guarded<F>;
}

/** What a decorator does. */
export interface Decoration {
  readonly effect: ToolEffect;
  /** Its name, for errors. */
  readonly who: string;
  readonly policy: ToolPolicy;
  readonly parts: () => RuntimeParts;
}

/**
 * Makes a decorator.
 *
 * @param further - what it was called with besides the policy: nothing, unless it was put on something without a call
 * @throws InvalidOptionError for a policy that cannot be meant
 */
export function toolDecorator(
  decoration: Decoration,
  further: readonly unknown[] = [],
): ToolDecorator {
  const { policy, who } = decoration;
  if (further.length > 0 || typeof (policy as unknown) === 'function') {
    throw new InvalidOptionError(
      `${who} must be called with a policy first: @${who}({ … }), ${who}({ … })(fn)`,
    );
  }
  checkPolicy(policy, who);
  const decorate = (target: unknown, context?: unknown, descriptor?: unknown): unknown => {
    // On a parameter, as of old, it is the position; of one of the constructor there is no name.
    if (typeof descriptor === 'number') {
      throw noMethod(who, `parameter ${descriptor} of`, (context ?? 'constructor') as string);
    }
    if (isStandardContext(context)) return standardMethod(decoration, target, context);
    if (typeof context === 'string' || typeof context === 'symbol') {
      return legacyMethod(decoration, target as object, context, descriptor);
    }
    return guardedFunction(decoration, target, undefined);
  };
  return decorate as ToolDecorator;
}

/** Where a decorated method is. */
interface MethodPlace {
  /** The class of a static one, once it is known. */
  owner: unknown;
}

type StandardContext = Pick<DecoratorContext, 'kind' | 'name' | 'addInitializer'> & {
  readonly static?: boolean;
};

function isStandardContext(context: unknown): context is StandardContext {
  return typeof context === 'object' && context !== null && 'kind' in context;
}

function standardMethod(
  decoration: Decoration,
  method: unknown,
  { addInitializer, kind, name, static: isStatic = false }: StandardContext,
): AnyFunction {
  if (kind !== 'method') throw noMethod(decoration.who, kind, name);
  const place: MethodPlace = { owner: undefined };
  if (isStatic) {
    addInitializer(function (this: unknown) {
      place.owner = this;
    });
  }
  return guardedFunction(decoration, method, place);
}

function legacyMethod(
  decoration: Decoration,
  target: object,
  key: string | symbol,
  descriptor: unknown,
): PropertyDescriptor {
  const given = (descriptor ?? {}) as PropertyDescriptor;
  if (given.get !== undefined) throw noMethod(decoration.who, 'getter', key);
  if (given.set !== undefined) throw noMethod(decoration.who, 'setter', key);
  if (typeof given.value !== 'function') throw noMethod(decoration.who, 'field', key);
  const value = guardedFunction(decoration, given.value, { owner: target });
  return { ...given, value };
}

/** @param place - of a method; `undefined` for a function */
function guardedFunction(
  { effect, parts, policy, who }: Decoration,
  fn: unknown,
  place: MethodPlace | undefined,
): AnyFunction {
  checkFunctionKind(fn, who);
  const guard = new ToolGuard(makeTool(policy, { effect, fn, who }, parts()));
  const isStream = policy.stream ?? isTagged(fn, 'AsyncGeneratorFunction');
  // Each instance has answers of its own, unless the policy says what they depend on.
  const instanceOf = (self: unknown): string | undefined =>
    place === undefined || policy.vary !== undefined || !isObject(self) || self === place.owner
      ? undefined
      : instanceId(self);
  const wrapper = function (this: unknown, ...args: unknown[]): unknown {
    const run = (): unknown => fn.apply(this, args);
    const options = { self: this, instance: instanceOf(this) };
    return isStream
      ? guard.stream(args, run as () => AsyncIterable<unknown>, options)
      : guard.call(args, run, options);
  };
  return likeOriginal(wrapper, fn);
}

/** @throws InvalidOptionError for what is no function, for a class, and for a generator that is not async */
function checkFunctionKind(fn: unknown, who: string): asserts fn is AnyFunction {
  if (typeof fn !== 'function') {
    throw new InvalidOptionError(`${who} takes a function, got ${describeValue(fn)}`);
  }
  if (isTagged(fn, 'GeneratorFunction')) {
    throw new InvalidOptionError(
      `${who} takes a function or an async generator, got the generator ${fn.name}`,
    );
  }
  // That of a class alone cannot be written to.
  if (Object.getOwnPropertyDescriptor(fn, 'prototype')?.writable === false) {
    throw new InvalidOptionError(
      `${who} takes a function, got the class ${fn.name || 'expression'}`,
    );
  }
}

function noMethod(who: string, what: string, key: string | symbol | undefined): Error {
  const hint = what === 'class' ? '' : `: wrap the function itself, ${who}(…)(fn)`;
  return new InvalidOptionError(
    `${who} decorates methods and wraps functions, got the ${what} ${String(key ?? '')}${hint}`,
  );
}

function isTagged(fn: object, tag: string): boolean {
  return Object.prototype.toString.call(fn) === `[object ${tag}]`;
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

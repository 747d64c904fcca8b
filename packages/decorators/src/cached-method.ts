import { CacheError, InvalidOptionError, type CacheMetrics } from '@acache/core';
import type { AnyFunction, CacheControls } from './cached-function.js';
import { callCacheOf } from './call-cache-of.js';
import { controlsOf, type CallCache } from './call-cache.js';
import type { CachedOptions } from './cached-options.js';
import { checkResult } from './function-kind.js';
import { isObject } from './instance-accessor.js';
import { uniqueId } from './unique-id.js';
import { likeOriginal } from './like-original.js';
import { labelOf, type MethodPlace, type MethodReplacement } from './method-place.js';
import { OwnCache } from './own-cache.js';
import { SharedCache } from './shared-cache.js';

/** On a cached method, what it can be bound by; known to every copy of this package. */
export const CACHED_METHOD = Symbol.for('@acache/decorators: cached method');

/** A method whose results are cached, for each instance apart or for its class. */
export class CachedMethod implements MethodReplacement {
  readonly method: AnyFunction;

  readonly #original: AnyFunction;
  readonly #options: CachedOptions;
  readonly #place: MethodPlace;
  readonly #who: string;
  /** The method as it was read from an instance. What is found by an instance goes with it. */
  readonly #bound = new WeakMap<object, AnyFunction>();
  readonly #ofInstance = new WeakMap<object, CallCache>();
  #ofClass: CallCache | undefined = undefined;
  /** The only instance that there has been of a private method's class. */
  #only: WeakRef<object> | 'many' | undefined = undefined;

  constructor(original: AnyFunction, options: CachedOptions, place: MethodPlace, who: string) {
    this.#original = original;
    this.#options = options;
    this.#place = place;
    this.#who = who;
    const call = (instance: unknown, args: unknown[]) => this.#call(instance, args);
    const method = function (this: unknown, ...args: unknown[]): Promise<unknown> {
      return call(this, args);
    };
    Object.defineProperty(method, CACHED_METHOD, { value: this });
    this.method = likeOriginal(method, original, this.#unboundControls());
    if (options.scope === 'class' && place.className !== undefined) this.#callsOf(undefined);
  }

  of(instance: object): AnyFunction {
    const known = this.#bound.get(instance);
    if (known !== undefined) return known;
    const call = (self: unknown, args: readonly unknown[]) => this.#call(self, args);
    const bound = function (this: unknown, ...args: unknown[]): Promise<unknown> {
      // Taken off its instance, the method still belongs to it.
      return call(this === undefined ? instance : this, args);
    };
    // What others put on the method, a framework's metadata say, is found on it, too.
    Object.setPrototypeOf(bound, this.method);
    this.#bound.set(instance, likeOriginal(bound, this.#original, this.#controlsOf(instance)));
    return bound;
  }

  constructed(instance: object): void {
    this.#only = this.#only === undefined ? new WeakRef(instance) : 'many';
  }

  #call(instance: unknown, args: readonly unknown[]): Promise<unknown> {
    const call = () => this.#apply(instance, args);
    try {
      const calls = this.#callsOf(instance);
      return calls === undefined ? Promise.resolve(call()) : calls.get(args, call);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #apply(instance: unknown, args: readonly unknown[]): unknown {
    return checkResult(this.#original.apply(instance, args as unknown[]), this.#original.name);
  }

  /** Where results for an instance are; `undefined` where they would be nobody's. */
  #callsOf(instance: unknown): CallCache | undefined {
    if (this.#options.scope === 'class') return (this.#ofClass ??= this.#newClassCache(instance));
    if (!isObject(instance)) return undefined;
    const known = this.#ofInstance.get(instance);
    if (known !== undefined) return known;
    const calls = this.#newInstanceCache(instance);
    this.#ofInstance.set(instance, calls);
    return calls;
  }

  #newClassCache(instance: unknown): CallCache {
    const label = labelOf(this.#place, instance);
    const { cache, name } = this.#options;
    // Below another decorator the class is not known, and that of an instance may be a subclass.
    if (cache !== undefined && name === undefined && this.#place.className === undefined) {
      throw new InvalidOptionError(
        `${this.#who} needs a name for ${label} on a cache that is shared`,
      );
    }
    return callCacheOf(this.#options, this.#original, this.#who, label);
  }

  #newInstanceCache(instance: object): CallCache {
    const label = labelOf(this.#place, instance);
    const { cache, name = label } = this.#options;
    return cache === undefined
      ? new OwnCache(this.#options, label)
      : new SharedCache(cache, this.#options, { name, instance: uniqueId() });
  }

  #controlsOf(instance: object): CacheControls<AnyFunction> {
    const calls = (): CallCache => this.#callsOf(instance) as CallCache;
    const call = (args: readonly unknown[]) => this.#apply(instance, args);
    const refresh = async (...args: unknown[]) => calls().refresh(args, () => call(args));
    return { ...controlsOf(calls), refresh };
  }

  /** The controls of a method that was not read from an instance: they are told by their `this`. */
  #unboundControls(): CacheControls<AnyFunction> {
    const controls = (receiver: unknown) => this.#controlsFor(receiver);
    return {
      async refresh(this: unknown, ...args: unknown[]): Promise<unknown> {
        return (await controls(this).refresh(...args)) as unknown;
      },
      async invalidateCache(this: unknown, ...args: unknown[]): Promise<boolean> {
        return controls(this).invalidateCache(...args);
      },
      async clearCache(this: unknown): Promise<void> {
        return controls(this).clearCache();
      },
      getMetrics(this: unknown): CacheMetrics {
        return controls(this).getMetrics();
      },
    };
  }

  #controlsFor(receiver: unknown): CacheControls<AnyFunction> {
    const instance = receiver === this.method ? this.#onlyInstance() : receiver;
    if (isObject(instance)) return this.#controlsOf(instance);
    if (this.#options.scope !== 'class') throw this.#noInstance();
    // There is one cache for all; but to call the method takes an instance.
    const controls = controlsOf(() => this.#callsOf(undefined) as CallCache);
    return { ...controls, refresh: () => Promise.reject(this.#noInstance()) };
  }

  #noInstance(): CacheError {
    const name = String(this.#place.key);
    return new CacheError(
      'ERR_ACACHE_NO_INSTANCE',
      `${name} cannot tell which instance its cache is asked for: ` +
        `say so by asCached(this.${name}, this) or this.${name}.refresh.call(this, …)`,
    );
  }

  #onlyInstance(): object | undefined {
    return this.#only instanceof WeakRef ? this.#only.deref() : undefined;
  }
}

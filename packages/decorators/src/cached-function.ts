import type { CacheMetrics } from '@acache/core';

/** Any function. */
export type AnyFunction = (...args: any[]) => any;

/** A function that promises its result. */
export type AsyncFunction = (...args: any[]) => PromiseLike<any>;

/** The arguments of a function; of one with overloads, those of the last six, each. */
export type ArgumentsOf<F> = F extends {
  (...args: infer A1): unknown;
  (...args: infer A2): unknown;
  (...args: infer A3): unknown;
  (...args: infer A4): unknown;
  (...args: infer A5): unknown;
  (...args: infer A6): unknown;
}
  ? A1 | A2 | A3 | A4 | A5 | A6
  : never;

/** A function as it is once it is cached: an async one as it was, a sync one promises its result. */
export type Async<F extends AnyFunction> = F extends (...args: any[]) => symbol
  ? Promising<F> // What may return a symbol, too, returns anything, or what it is given.
  : F extends AsyncFunction
    ? F
    : Promising<F>;

type Promising<F extends AnyFunction> = (
  this: ThisParameterType<F>,
  ...args: Parameters<F>
) => Promise<Awaited<ReturnType<F>>>;

/** What a cached function has besides being called. Read from an instance, it concerns that instance alone. */
export interface CacheControls<F extends AnyFunction> {
  /** Calls the function anew with these arguments, whatever is cached, and keeps the result. */
  readonly refresh: OmitThisParameter<Async<F>>;
  /** Forgets the result for these arguments; true if memory held it. A call that runs is not kept. */
  readonly invalidateCache: (...args: ArgumentsOf<F>) => Promise<boolean>;
  /** Forgets all results of this function. */
  readonly clearCache: () => Promise<void>;
  /** What was counted for this function since the start or the last `clearCache()`. */
  readonly getMetrics: () => CacheMetrics;
}

/** A function whose results are cached. */
export type CachedFunction<F extends AnyFunction> = Async<F> & CacheControls<F>;

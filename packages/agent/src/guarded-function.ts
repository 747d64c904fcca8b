import type { AnyFunction } from './any-function.js';

/** What a tool returns when it promises its answer, or yields it. */
type Later = PromiseLike<any> | AsyncIterable<any>;

/** A function as it is once it is guarded: an async one, or an async generator, as it was; a sync one promises its result. */
export type Guarded<F extends AnyFunction> = F extends (...args: any[]) => symbol
  ? Promising<F> // What may return a symbol, too, returns anything.
  : F extends (...args: any[]) => Later
    ? F
    : Promising<F>;

type Promising<F extends AnyFunction> = (
  this: ThisParameterType<F>,
  ...args: Parameters<F>
) => Promise<Awaited<ReturnType<F>>>;

/** A method that can be decorated: a decorator cannot change its type, so it has to be async already. */
export type AsyncMethod<This = any> = (this: This, ...args: any) => Later;

import type { AnyFunction } from './cached-function.js';

/** The functions among some options. */
type FunctionsOf<O, Names extends string> = {
  [Name in Extract<keyof O, Names>]: Extract<O[Name], AnyFunction>;
}[Extract<keyof O, Names>];

/**
 * `T` where the functions among some options take the arguments of `F`; else a text that tells the user,
 * in the compiler's error, what is wrong.
 */
export type IfTheyTake<O, Names extends string, F extends AnyFunction, T> = [
  FunctionsOf<O, Names>,
] extends [(...args: Parameters<F>) => unknown]
  ? T
  : `the ${Names} function does not take these arguments`;

/** What a function returns, or promises. */
type ValueOf<F extends AnyFunction> =
  ReturnType<F> extends PromiseLike<infer Value> ? Value : ReturnType<F>;

/** `T` where the functions of a value among some options take the value of `F`; else a text likewise. */
export type IfTheyTakeValue<O, Names extends string, F extends AnyFunction, T> = [
  FunctionsOf<O, Names>,
] extends [(value: ValueOf<F>, ...rest: any[]) => unknown]
  ? T
  : `the ${Names} function does not take this value`;

/**
 * Nothing besides what `Known` has, so that a misspelt option is an error where `O` is inferred, and so is
 * a function, which has a `name` as options have.
 */
export type NothingElse<O, Known> = { apply?: never } & (string extends keyof O
  ? unknown
  : Partial<Record<Exclude<keyof O, keyof Known>, never>>);

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

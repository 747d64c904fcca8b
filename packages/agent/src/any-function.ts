/** Any function. */
export type AnyFunction = (...args: any[]) => any;

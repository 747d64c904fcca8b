/** Compiles where both types are the very same. */
export type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles where a value has the type that is expected, and no other. */
export declare function is<Expected>(): <Actual>(
  value: Actual,
  ...other: Same<Actual, Expected> extends true ? [] : [type: never]
) => void;

/** Takes what is there for its type alone. */
export declare function use(...values: unknown[]): void;

/** A value of a type. */
export declare function type<T>(): T;

export interface User {
  readonly id: number;
  readonly name: string;
}

export interface Order {
  readonly total: number;
}

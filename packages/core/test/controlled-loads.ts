import type { GetManyOptions, LoadContext } from '../src/index.js';

/** A load that has begun and that the test settles. */
export interface ControlledLoad<V> {
  readonly key: string;
  /** What the loader was given; undefined for a load of `loadMany`, which is given keys only. */
  readonly context: LoadContext<V> | undefined;
  succeed(value: V): void;
  fail(error: unknown): void;
}

export interface ControlledLoads<V> {
  /** In the order in which they began. */
  readonly begun: ControlledLoad<V>[];
  /** The newest one. */
  readonly last: ControlledLoad<V>;
  readonly loader: (key: string, context: LoadContext<V>) => Promise<V>;
  /** Answers the keys one by one as the test settles them, and ends with the last. */
  readonly loadMany: NonNullable<GetManyOptions<string, V>['loadMany']>;
}

/** Loaders that count their calls and leave the outcome to the test. */
export function controlledLoads<V = string>(): ControlledLoads<V> {
  const begun: ControlledLoad<V>[] = [];
  const begin = (key: string, context?: LoadContext<V>): Promise<V> =>
    new Promise<V>((succeed, fail) => begun.push({ key, context, succeed, fail }));
  return {
    begun,
    get last() {
      const load = begun.at(-1);
      if (load === undefined) throw new Error('no load has begun');
      return load;
    },
    loader: begin,
    loadMany: (keys) => Promise.all(keys.map((key) => begin(key))),
  };
}

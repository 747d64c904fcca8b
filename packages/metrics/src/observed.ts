import { describeValue, InvalidOptionError, type CacheMetrics } from '@acache/core';

/** What is observed: an `AsyncCache`, or a cached function of `@acache/decorators`. */
export interface ObservedCache {
  /** Its label, unless it was given another. */
  readonly name: string;
  getMetrics(): CacheMetrics;
  /** Tells of each load that ends, where it is known how long single loads take. */
  on?(event: 'loaded', listener: (event: { readonly ms: number }) => void): () => void;
}

/** A tier that counts what happens, such as `redisTier()` or `keyvTier()`. */
export interface ObservedTier {
  getMetrics(): object;
}

/** Caches under their names, or with labels of your own: pairs, a `Map` or an object. */
export type CacheList =
  | Iterable<ObservedCache | readonly [label: string, cache: ObservedCache]>
  | Readonly<Record<string, ObservedCache>>;

/** One cache, a list of those there are, or a function that tells at each scrape which there are. */
export type Caches = ObservedCache | CacheList | (() => CacheList);

/** Something to observe and the label it was given, if any. */
export type Labelled<S> = readonly [label: string | undefined, subject: S];

/**
 * What tells the subjects of now. Those of a list are not kept alive by it.
 *
 * @throws InvalidOptionError for what is no list of caches
 */
export function cachesNow(caches: Caches): () => readonly Labelled<ObservedCache>[] {
  if (typeof caches === 'function' && !isObserved(caches)) return () => labelledIn(caches());
  return weakly(isObserved(caches) ? [[undefined, caches]] : labelledIn(caches));
}

/** The same for tiers. */
export function tiersNow(
  tiers: Readonly<Record<string, ObservedTier>>,
): () => readonly Labelled<ObservedTier>[] {
  for (const [label, tier] of Object.entries(tiers)) check(tier, `tiers.${label}`);
  return weakly(Object.entries(tiers));
}

function weakly<S extends object>(subjects: readonly Labelled<S>[]): () => readonly Labelled<S>[] {
  const known = subjects.map(([label, subject]) => [label, new WeakRef(subject)] as const);
  return () =>
    known.flatMap(([label, reference]) => {
      const subject = reference.deref();
      return subject === undefined ? [] : [[label, subject] as const];
    });
}

function labelledIn(list: CacheList): readonly Labelled<ObservedCache>[] {
  if (typeof list !== 'object' || (list as unknown) === null) {
    throw new InvalidOptionError(
      `caches must be a cache, a list of caches or a function that gives one, got ${describeValue(list)}`,
    );
  }
  if (!isIterable(list)) {
    return Object.entries(list).map(([label, cache]) => [label, check(cache, `caches.${label}`)]);
  }
  return [...list].map((item, at) => {
    const [label, cache] = Array.isArray(item)
      ? (item as Labelled<ObservedCache>)
      : [undefined, item];
    return [label, check(cache as ObservedCache, `caches[${at}]`)];
  });
}

function check<S extends ObservedTier>(given: S, name: string): S {
  if (isObserved(given)) return given;
  throw new InvalidOptionError(`${name} must have getMetrics, got ${describeValue(given)}`);
}

function isObserved(given: unknown): given is ObservedCache {
  return typeof (given as Partial<ObservedCache> | undefined | null)?.getMetrics === 'function';
}

function isIterable(given: object): given is Iterable<unknown> {
  return Symbol.iterator in given;
}

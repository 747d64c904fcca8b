import type { IncomingMessage } from 'node:http';
import { describeValue, InvalidOptionError, type Cache } from '@acache/core';

/** Any cache, as far as it is looked at. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever its keys and values are
export type AnyCache = Pick<Cache<any>, 'name' | 'getMetrics' | 'on' | 'has' | 'peek'>;

/** The caches to watch: one after another by their own names, or under names of your choice. */
export type Inspected = Iterable<AnyCache> | Readonly<Record<string, AnyCache>>;

/** Who may see what. */
export interface InspectorOptions {
  /**
   * Whether a request may see anything; asked for every one of them. Only `true` lets it pass: a
   * rejection, a throw and any other value are a no.
   * @defaultValue nobody: every request is answered by 403
   */
  allow?: (request: IncomingMessage) => boolean | PromiseLike<boolean>;
  /**
   * Whether keys and tags are shown. Without it a key is a number, the same one for as long as somebody watches.
   * @defaultValue `false`
   */
  showKeys?: boolean;
  /**
   * Whether the values of the keys that were seen of late are shown, and what errors say. Needs `showKeys`.
   * @defaultValue `false`
   */
  showValues?: boolean;
  /**
   * What the page is called.
   * @defaultValue `'Caches'`
   */
  title?: string;
}

/** @throws InvalidOptionError for one that cannot be meant */
export function checkInspectorOptions(options: InspectorOptions): void {
  if (typeof options !== 'object' || (options as unknown) === null) {
    throw new InvalidOptionError(
      `the options of createInspector must be an object, got ${describeValue(options)}`,
    );
  }
  const { allow, showKeys, showValues, title } = options;
  check(allow === undefined || typeof allow === 'function', 'allow', 'a function', allow);
  check(isFlag(showKeys), 'showKeys', 'true or false', showKeys);
  check(isFlag(showValues), 'showValues', 'true or false', showValues);
  check(title === undefined || typeof title === 'string', 'title', 'a text', title);
  if (showValues === true && showKeys !== true) {
    throw new InvalidOptionError('showValues needs showKeys: a value is shown beside its key');
  }
}

/** The caches with the names that the page has for them. */
export function namedCaches(caches: Inspected): [name: string, cache: AnyCache][] {
  if (typeof caches !== 'object' || (caches as unknown) === null) throw notCaches(caches);
  const named =
    Symbol.iterator in caches
      ? [...(caches as Iterable<AnyCache>)].map((cache): [string, AnyCache] => [
          nameOf(cache),
          cache,
        ])
      : Object.entries(caches);
  for (const [, cache] of named) if (!isCache(cache)) throw notCaches(cache);
  const seen = new Map<string, number>();
  return named.map(([name, cache]) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return [count === 1 ? name : `${name} (${count})`, cache];
  });
}

function nameOf(cache: unknown): string {
  return String((cache as { name?: unknown } | null | undefined)?.name);
}

function isCache(cache: unknown): boolean {
  const { getMetrics, on } = (cache ?? {}) as Partial<AnyCache>;
  return typeof getMetrics === 'function' && typeof on === 'function';
}

function notCaches(got: unknown): InvalidOptionError {
  return new InvalidOptionError(
    `the caches must be such as [new AsyncCache()] or { users: new AsyncCache() }, got ${describeValue(got)}`,
  );
}

function isFlag(flag: unknown): boolean {
  return flag === undefined || typeof flag === 'boolean';
}

function check(valid: boolean, name: string, expected: string, got: unknown): void {
  if (!valid) {
    throw new InvalidOptionError(`${name} must be ${expected}, got ${describeValue(got)}`);
  }
}

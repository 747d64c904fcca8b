import { escapeName, escapeText, unescapeText } from './escape.js';

/** Stands behind a name for any of its tags; in the text of a tag a colon comes first. */
const ANY = '*';

/** What a Redis key of ours holds, and whose it is. */
export type Place =
  | { readonly kind: 'value' | 'word'; readonly name: string; readonly key: string }
  | { readonly kind: 'tag'; readonly name: string; readonly tag: string }
  | { readonly kind: 'all'; readonly name: string }
  | { readonly kind: 'any'; readonly name: string };

/**
 * Where things lie in Redis. With `p` for the prefix, `n` for a cache's name, all escaped:
 *
 * - `p:v:{n:key}` the value of a key, or the placeholder of whoever loads it
 * - `p:r:{n:key}` the lock of whoever refreshes it, in the slot of the value
 * - `p:x:{n:key}` the word that it was removed where nothing was: gone as soon as it is there
 * - `p:t:{n}:tag` the stamp of a tag; `p:t:{n}` that of the whole namespace; `p:t:{n}*` the one that
 *   every invalidation changes
 * - `p:p:…` proofs that a link hears what is written; `p:i` the channel where there is no tracking
 *
 * The kind comes before the name, so that few prefixes cover all caches of a tier.
 */
export class KeySpace {
  /** What every key begins with: the client's own prefix and ours. */
  readonly base: string;
  readonly channel: string;
  /** Prefixes of the keys whose changes every process must hear of. */
  readonly tracked: readonly string[];

  constructor(base: string) {
    this.base = base;
    this.channel = `${base}i`;
    this.tracked = [`${base}v:`, `${base}x:`, `${base}t:`, `${base}p:`];
  }

  proof(id: string): string {
    return `${this.base}p:${id}`;
  }

  /** What a key is that Redis names; `undefined` where it is none of a cache. */
  placeOf(redisKey: string): Place | undefined {
    const { base } = this;
    if (!redisKey.startsWith(base)) return undefined;
    const kind = redisKey.charAt(base.length);
    if (!redisKey.startsWith(':{', base.length + 1)) return undefined;
    const end = redisKey.indexOf('}', base.length + 3);
    if (end < 0) return undefined;
    const inner = redisKey.slice(base.length + 3, end);
    if (kind === 'v' || kind === 'x') {
      const colon = inner.indexOf(':');
      if (colon < 0 || end !== redisKey.length - 1) return undefined;
      const name = unescapeText(inner.slice(0, colon));
      return {
        kind: kind === 'v' ? 'value' : 'word',
        name,
        key: unescapeText(inner.slice(colon + 1)),
      };
    }
    if (kind !== 't') return undefined;
    const name = unescapeText(inner);
    if (end === redisKey.length - 1) return { kind: 'all', name };
    if (redisKey.charAt(end + 1) === ANY) return { kind: 'any', name };
    return { kind: 'tag', name, tag: unescapeText(redisKey.slice(end + 2)) };
  }

  of(name: string): NamespaceKeys {
    return new NamespaceKeys(this.base, escapeName(name));
  }
}

/** The Redis keys of one namespace. */
export class NamespaceKeys {
  /** The stamp that every entry carries. */
  readonly all: string;
  /** The stamp that every invalidation of a tag changes. */
  readonly any: string;
  readonly #values: string;
  readonly #locks: string;
  readonly #words: string;
  readonly #tags: string;

  constructor(base: string, name: string) {
    this.all = `${base}t:{${name}}`;
    this.any = `${this.all}${ANY}`;
    this.#values = `${base}v:{${name}:`;
    this.#locks = `${base}r:{${name}:`;
    this.#words = `${base}x:{${name}:`;
    this.#tags = `${this.all}:`;
  }

  value(key: string): string {
    return `${this.#values}${escapeText(key)}}`;
  }

  lock(key: string): string {
    return `${this.#locks}${escapeText(key)}}`;
  }

  word(key: string): string {
    return `${this.#words}${escapeText(key)}}`;
  }

  tag(tag: string): string {
    return this.#tags + escapeText(tag);
  }
}

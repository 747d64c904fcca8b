import { DataLoader } from '@acache/batch';
import type { AsyncCache } from '@acache/core';
import type { Author, Blog, Post } from './blog.js';

/** Where resolvers get the values of one kind from. */
export interface Source<K, V> {
  load(key: K): Promise<V>;
  /** Forgets the value of a key, since it was changed. */
  clear(key: K): unknown;
}

/** What one request reads from. */
export interface Sources {
  readonly posts: Source<number, Post[]>;
  readonly authors: Source<number, Author>;
}

/** What all requests read from. */
export interface Caches {
  readonly posts: AsyncCache<number, Post[]>;
  readonly authors: AsyncCache<number, Author>;
}

/** Resolvers that ask the database themselves: a query for each user and for each post. */
export function plainSources(blog: Blog): Sources {
  return {
    posts: oneByOne((userIds) => blog.postsOf(userIds)),
    authors: oneByOne((ids) => blog.authors(ids)),
  };
}

/** A query for all users of a request and one for all authors. Loaders remember: each request has its own. */
export function batchedSources(blog: Blog): Sources {
  return {
    posts: new DataLoader((userIds) => blog.postsOf(userIds)),
    authors: new DataLoader((ids) => blog.authors(ids)),
  };
}

/** The same, for what no request before has left in the caches. */
export function cachedSources(blog: Blog, { posts, authors }: Caches): Sources {
  return {
    posts: new DataLoader((userIds) => blog.postsOf(userIds), { cache: posts }),
    authors: new DataLoader((ids) => blog.authors(ids), { cache: authors }),
  };
}

function oneByOne<K, V>(loadMany: (keys: readonly K[]) => Promise<Map<K, V>>): Source<K, V> {
  return {
    load: async (key) => (await loadMany([key])).get(key) as V,
    clear: () => undefined,
  };
}

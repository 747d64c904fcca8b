import { AsyncCache } from '@acache/core';
import type { Author, Blog, Post } from './blog.js';
import { ask, renamePost, usersWithPosts, type UsersWithPosts } from './client.js';
import { serve } from './server.js';
import { batchedSources, cachedSources, plainSources } from './sources.js';

/** One request for a hundred users with their posts and authors, and what it cost the database. */
export interface Run {
  readonly label: string;
  readonly answer: UsersWithPosts;
  readonly queries: number;
  readonly rows: number;
  /** From the request to the whole answer, in milliseconds. */
  readonly time: number;
}

/** Sends the same request to three servers over one database, to the one with caches again and again. */
export async function compare(blog: Blog): Promise<Run[]> {
  await using posts = new AsyncCache<number, Post[]>({ name: 'posts', maxSize: 1000, ttl: '1m' });
  await using authors = new AsyncCache<number, Author>({ name: 'authors', ttl: '10m' });
  await using plain = await serve(() => ({ blog, sources: plainSources(blog) }));
  await using batched = await serve(() => ({ blog, sources: batchedSources(blog) }));
  await using cached = await serve(() => ({
    blog,
    sources: cachedSources(blog, { posts, authors }),
  }));

  const run = async (label: string, { url }: { url: string }): Promise<Run> => {
    const { queries, rows } = blog;
    const start = performance.now();
    const answer = await ask<UsersWithPosts>(url, usersWithPosts);
    const time = performance.now() - start;
    return { label, answer, queries: blog.queries - queries, rows: blog.rows - rows, time };
  };

  const runs = [
    await run('plain resolvers', plain),
    await run('DataLoader', batched),
    await run('DataLoader over a cache', cached),
    await run('  second request', cached),
  ];
  await ask(cached.url, renamePost, { id: '1', title: 'A better title' });
  return [...runs, await run('  after a renamePost', cached)];
}

import { AsyncCache } from '@acache/core';
import { Blog, type Author, type Post } from './blog.js';
import { ask, renamePost, usersWithPosts, type UsersWithPosts } from './client.js';
import { serve, type GraphQLServer } from './server.js';
import { batchedSources, cachedSources, plainSources } from './sources.js';

jest.setTimeout(60_000);

let blog: Blog;
const open: AsyncDisposable[] = [];

beforeAll(async () => {
  blog = await Blog.open();
});
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});
afterAll(() => blog[Symbol.asyncDispose]());

function opened<T extends AsyncDisposable>(disposable: T): T {
  open.push(disposable);
  return disposable;
}

async function plainServer(): Promise<GraphQLServer> {
  return opened(await serve(() => ({ blog, sources: plainSources(blog) })));
}

async function batchedServer(): Promise<GraphQLServer> {
  return opened(await serve(() => ({ blog, sources: batchedSources(blog) })));
}

async function cachedServer(): Promise<GraphQLServer> {
  const posts = opened(new AsyncCache<number, Post[]>({ name: 'posts', maxSize: 1000 }));
  const authors = opened(new AsyncCache<number, Author>({ name: 'authors' }));
  const sources = () => cachedSources(blog, { posts, authors });
  return opened(await serve(() => ({ blog, sources: sources() })));
}

/** The answers to so many requests at once, and the queries that they cost together. */
async function cost({ url }: GraphQLServer, requests = 1) {
  const before = blog.queries;
  const answers = await Promise.all(
    Array.from({ length: requests }, () => ask<UsersWithPosts>(url, usersWithPosts)),
  );
  return { answers, queries: blog.queries - before };
}

describe('batchedSources', () => {
  it('remembers nothing from one request to the next', async () => {
    const server = await batchedServer();
    expect((await cost(server)).queries).toBe(3);
    expect((await cost(server)).queries).toBe(3);
  });

  it('keeps requests apart that come at once', async () => {
    const { answers, queries } = await cost(await batchedServer(), 4);
    expect(queries).toBe(4 * 3);
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });
});

describe('cachedSources', () => {
  it('shares loads among requests that come at once: each asks for its list, one for the rest', async () => {
    const { answers, queries } = await cost(await cachedServer(), 4);
    expect(queries).toBe(4 + 2);
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });

  it('loads again what a mutation changed, and nothing else', async () => {
    const server = await cachedServer();
    const { answers } = await cost(server);
    const { id, title } = answers[0]!.users[99]!.posts[1]!;
    expect(title).toBe('Post 2 of user 100');

    const renamed = await ask(server.url, renamePost, { id, title: 'Second thoughts' });
    expect(renamed).toEqual({ renamePost: { title: 'Second thoughts' } });

    const after = await cost(server);
    expect(after.answers[0]!.users[99]!.posts[1]!.title).toBe('Second thoughts');
    expect(after.queries).toBe(2);
    // A server without caches agrees.
    expect(after.answers).toEqual((await cost(await plainServer())).answers);
  });

  it('keeps what is cached when there was nothing to rename', async () => {
    const server = await cachedServer();
    await cost(server);
    const nothing = await ask(server.url, renamePost, { id: '999999', title: 'Nobody reads it' });
    expect(nothing).toEqual({ renamePost: null });
    expect((await cost(server)).queries).toBe(1);
  });
});

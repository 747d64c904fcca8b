import type { Blog } from './blog.js';
import { ask, usersWithPosts } from './client.js';
import type { Context } from './schema.js';
import { serve, type GraphQLServer } from './server.js';

const failing = { users: () => Promise.reject(new Error('the database is down')) };

let server: GraphQLServer;
const contexts: Context[] = [];

beforeAll(async () => {
  server = await serve(() => {
    const context = { blog: failing as unknown as Blog, sources: {} as Context['sources'] };
    contexts.push(context);
    return context;
  });
});
afterAll(() => server[Symbol.asyncDispose]());

async function post(body: string, path = '/graphql') {
  const response = await fetch(new URL(path, server.url), { method: 'POST', body });
  return { status: response.status, body: await response.json() };
}

describe('serve', () => {
  it('answers with the error of a resolver', async () => {
    await expect(ask(server.url, usersWithPosts)).rejects.toThrow('the database is down');
  });

  it('tells what is wrong with a query', async () => {
    await expect(ask(server.url, '{ users { name } }')).rejects.toThrow(
      'of type "Int!" is required',
    );
    await expect(ask(server.url, '{')).rejects.toThrow('Syntax Error');
  });

  it('makes a context for each request', async () => {
    contexts.length = 0;
    await Promise.all([ask(server.url, '{ __typename }'), ask(server.url, '{ __typename }')]);
    expect(new Set(contexts).size).toBe(2);
  });

  it.each([
    '',
    '{',
    'null',
    '"{ __typename }"',
    '{}',
    '{"query":1}',
    '{"query":"{}","variables":1}',
  ])('refuses %j', async (body) => {
    expect(await post(body)).toEqual({
      status: 400,
      body: { errors: [{ message: 'expected JSON with a query' }] },
    });
  });

  it('is at POST /graphql only', async () => {
    const elsewhere = {
      status: 404,
      body: { errors: [{ message: 'there is POST /graphql only' }] },
    };
    expect(await post('{}', '/')).toEqual(elsewhere);
    expect((await fetch(server.url)).status).toBe(404);
  });
});

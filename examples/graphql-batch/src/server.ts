import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { graphql } from 'graphql';
import { schema, type Context } from './schema.js';

/** What a client sends to `POST /graphql`, as JSON. */
export interface GraphQLRequest {
  query: string;
  variables?: Record<string, unknown>;
}

export interface GraphQLServer extends AsyncDisposable {
  readonly url: string;
}

/** Serves the blog over HTTP. Asks `contextOf` for each request, so that each has loaders of its own. */
export async function serve(contextOf: () => Context): Promise<GraphQLServer> {
  const server = createServer((request, response) => {
    void answer(request, contextOf).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/graphql`,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

interface Answer {
  readonly status: number;
  readonly body: object;
}

async function answer(request: IncomingMessage, contextOf: () => Context): Promise<Answer> {
  if (request.method !== 'POST' || request.url !== '/graphql') {
    return refusal(404, 'there is POST /graphql only');
  }
  const asked = await json(request).catch(() => undefined);
  if (!isGraphQLRequest(asked)) return refusal(400, 'expected JSON with a query');
  const { query: source, variables: variableValues } = asked;
  const body = await graphql({ schema, source, variableValues, contextValue: contextOf() });
  return { status: 200, body };
}

function isGraphQLRequest(asked: unknown): asked is GraphQLRequest {
  const { query, variables = {} } = (asked ?? {}) as Partial<GraphQLRequest>;
  return typeof query === 'string' && typeof variables === 'object';
}

function refusal(status: number, message: string): Answer {
  return { status, body: { errors: [{ message }] } };
}

import * as client2 from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport as InMemoryTransport1 } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer as McpServer1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import * as server2 from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { ToolAnnotations } from '../src/mcp.js';

/** A result of a tool. */
export interface Result {
  content: { type: string; text?: string }[];
  isError?: boolean;
  _meta?: Record<string, unknown>;
}

/** What the tests use of a client, in either version. */
export interface AnyClient {
  connect(transport: unknown): Promise<void>;
  callTool(params: { name: string; arguments?: object }, ...rest: unknown[]): Promise<Result>;
  listTools(params?: object): Promise<{ tools: { name: string }[] }>;
  close(): Promise<void>;
  setRequestHandler(method: unknown, handler: (request: any) => unknown): void;
}

export interface AnyServer {
  connect(transport: unknown): Promise<void>;
  registerTool(name: string, config: object, callback: (...args: any[]) => unknown): AnyRegistered;
  close(): Promise<void>;
  sendToolListChanged(): void;
}

export interface AnyRegistered {
  update(updates: object): void;
  remove(): void;
}

const capabilities = { elicitation: {} };

/** Both versions of the SDK behind the same types, which fit what is used of them. */
export const mcpVersions = [
  {
    version: '1',
    client: () =>
      new Client1({ name: 'c', version: '1' }, { capabilities }) as unknown as AnyClient,
    server: (name = 's') => new McpServer1({ name, version: '1' }) as unknown as AnyServer,
    link: () => InMemoryTransport1.createLinkedPair() as readonly [unknown, unknown],
    Client: Client1 as unknown as new () => AnyClient,
    /** Raw shapes in version 1, a schema in version 2. */
    input: (shape: Record<string, z.ZodType>): object => shape,
  },
  {
    version: '2',
    client: () =>
      new client2.Client({ name: 'c', version: '1' }, { capabilities }) as unknown as AnyClient,
    server: (name = 's') => new server2.McpServer({ name, version: '1' }) as unknown as AnyServer,
    link: () => server2.InMemoryTransport.createLinkedPair() as readonly [unknown, unknown],
    Client: client2.Client as unknown as new () => AnyClient,
    input: (shape: Record<string, z.ZodType>): object => z.object(shape),
  },
];

export type McpVersion = (typeof mcpVersions)[number];

/** A shop that counts its calls. */
export function shop({ input, server: makeServer }: McpVersion, name?: string) {
  const server = makeServer(name);
  const runs = { get_cart: 0, add_to_cart: 0, fail: 0 };
  const cart: string[] = [];
  const tools: [string, ToolAnnotations, (args: { item: string }) => Result][] = [
    ['get_cart', { readOnlyHint: true }, () => text(`cart ${cart.join()}`)],
    [
      'add_to_cart',
      { readOnlyHint: false },
      ({ item }) => {
        cart.push(item);
        return text('added');
      },
    ],
    ['fail', { readOnlyHint: true }, () => ({ ...text('failed'), isError: true })],
  ];
  const register = (target: AnyServer): void => {
    for (const [tool, annotations, run] of tools) {
      const inputSchema = input(
        tool === 'add_to_cart' ? { user: z.string(), item: z.string() } : { user: z.string() },
      );
      target.registerTool(tool, { inputSchema, annotations }, (args: { item: string }) => {
        runs[tool as keyof typeof runs]++;
        return run(args);
      });
    }
  };
  return { server, register, runs, cart };
}

export function text(value: string): Result {
  return { content: [{ type: 'text', text: value }] };
}

/** Connects the two, and gives what ends that. */
export async function connected(
  { link }: McpVersion,
  client: AnyClient,
  server: AnyServer,
): Promise<{ close(): Promise<void> }> {
  const [one, other] = link();
  await Promise.all([server.connect(other), client.connect(one)]);
  return {
    async close() {
      await client.close();
      await server.close();
    },
  };
}

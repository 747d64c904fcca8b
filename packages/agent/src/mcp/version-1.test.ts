import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { counted } from '../../test/counted.js';
import { createAgentCache } from '../index.js';
import { cacheClient, cacheServer } from '../mcp.js';

const info = { name: 's', version: '1' };
const answer = () => ({ content: [{ type: 'text' as const, text: 'x' }] });

it('keeps results apart by the schema that they are read by', async () => {
  const run = counted(answer);
  const server = new McpServer(info);
  server.registerTool('get', {}, run);
  const session = createAgentCache().session({ loopDetection: false });
  const client = cacheClient(new Client(info), { session, policies: { get: { effect: 'read' } } });
  const [one, other] = InMemoryTransport.createLinkedPair();
  await Promise.all([server.connect(other), client.connect(one)]);
  const schemas = [undefined, CallToolResultSchema, CallToolResultSchema.loose()];
  for (const schema of [...schemas, ...schemas]) {
    expect(await client.callTool({ name: 'get' }, schema)).toMatchObject(answer());
  }
  expect(run.runs).toBe(3);
  await client.close();
});

it('caches tools that are registered by tool(), with the annotations among its arguments', async () => {
  const run = counted(answer);
  const session = createAgentCache().session();
  const server = cacheServer(new McpServer(info), { session, trust: true });
  // It is deprecated, and in use.
  const register = Reflect.get(server, 'tool').bind(server) as (...given: unknown[]) => unknown;
  register('plain', run);
  register('reads', 'd', { n: z.number() }, { readOnlyHint: true }, run);
  const client = new Client(info);
  const [one, other] = InMemoryTransport.createLinkedPair();
  await Promise.all([server.connect(other), client.connect(one)]);
  for (const name of ['reads', 'reads', 'plain', 'plain']) {
    await client.callTool({ name, arguments: name === 'reads' ? { n: 1 } : {} });
  }
  expect(run.runs).toBe(3);
  await client.close();
});

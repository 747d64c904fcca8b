import { Client as Client2 } from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { McpServer as McpServer1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { McpServer as McpServer2 } from '@modelcontextprotocol/server';
import { cacheClient, cacheServer } from '../mcp.js';

const info = { name: 's', version: '1' };
const options = { policies: { search: { effect: 'read' } }, trust: true, server: 's' } as const;

cacheClient(new Client1(info), options) satisfies Client1;
cacheClient(new Client2(info), options) satisfies Client2;
cacheServer(new McpServer1(info), options) satisfies McpServer1;
cacheServer(new McpServer2(info), { ...options, session: () => undefined }) satisfies McpServer2;

// @ts-expect-error a policy says what its tool does
cacheClient(new Client1(info), { policies: { search: {} } });
// @ts-expect-error a client has one session at a time
cacheClient(new Client1(info), { session: () => undefined });

export { cacheClient, type CacheClientOptions } from './mcp/cache-client.js';
export { cacheServer, type CacheServerOptions } from './mcp/cache-server.js';
export { policyFromAnnotations, type ToolAnnotations } from './mcp/annotations.js';
export type { AdapterPolicy, AdapterScope, WrapToolsOptions } from './adapter/adapter-options.js';

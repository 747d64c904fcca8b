export { rethrow } from './adapter/rethrow.js';
export { wrapTool, wrapTools, type WrapToolOptions } from './mastra/wrap-tools.js';
export type { AdapterPolicy, AdapterScope, WrapToolsOptions } from './adapter/adapter-options.js';

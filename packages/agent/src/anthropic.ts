export { rethrow } from './adapter/rethrow.js';
export { runnerOptions } from './anthropic/runner-options.js';
export { wrapTool, wrapTools, type WrapToolOptions } from './anthropic/wrap-tools.js';
export type { AdapterPolicy, AdapterScope, WrapToolsOptions } from './adapter/adapter-options.js';

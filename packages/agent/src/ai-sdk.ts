export { haltedBy } from './ai-sdk/halted-by.js';
export { wrapTool, wrapTools, type WrapToolOptions } from './ai-sdk/wrap-tools.js';
export type { AdapterPolicy, AdapterScope, WrapToolsOptions } from './adapter/adapter-options.js';

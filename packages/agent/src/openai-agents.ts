export { unwrapLoopError } from './adapter/unwrap-loop-error.js';
export { visibleErrors } from './openai-agents/visible-errors.js';
export { wrapTool, wrapTools, type WrapToolOptions } from './openai-agents/wrap-tools.js';
export type { AdapterPolicy, AdapterScope, WrapToolsOptions } from './adapter/adapter-options.js';

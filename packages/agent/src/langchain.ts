export { rethrow } from './adapter/rethrow.js';
export { unwrapLoopError } from './adapter/unwrap-loop-error.js';
export { acacheMiddleware, type AcacheMiddlewareOptions } from './langchain/acache-middleware.js';
export { wrapTool, wrapTools, type WrapToolOptions } from './langchain/wrap-tools.js';
export type { AdapterPolicy, AdapterScope, WrapToolsOptions } from './adapter/adapter-options.js';

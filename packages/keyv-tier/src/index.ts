export { keyvTier } from './keyv-tier.js';
export type { KeyvTier } from './keyv-tier.js';
export type { KeyvTierMetrics } from './counts.js';
export type { KeyvTierOptions } from './options.js';
export type { KeyvLike, KeyvStoreLike } from './keyv-store.js';

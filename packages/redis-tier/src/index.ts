export { redisTier } from './redis-tier.js';
export type { RedisTier } from './redis-tier.js';
export type { RedisTarget } from './clients.js';
export type { RedisTierMetrics } from './metrics.js';
export type { Coherence, RedisTierOptions } from './options.js';

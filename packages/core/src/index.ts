export { AsyncCache } from './async-cache.js';
export type { Cache, GivenKey, LoadedValue, LoaderReturning, LoadingOptions } from './cache.js';
export type {
  AsyncCacheOptions,
  EntryOptions,
  GetManyOptions,
  GetOptions,
  LoadMany,
} from './cache-options.js';
export type { LoadContext, Loader } from './loader.js';
export type { ReadResult, ReadStatus } from './read-result.js';
export type { CacheMetrics } from './metrics.js';
export type { WarmupEntries, WarmupOptions, WarmupProgress, WarmupReport } from './warmup.js';
export type {
  CacheErrorEvent,
  CacheEvent,
  CacheEventName,
  CacheEvents,
  CacheInvalidateEvent,
  CacheLoadedEvent,
  CacheTierEvent,
  ErrorSource,
} from './events.js';

export type { TraceOptions, TraceRecording, TraceSink } from './trace-recording.js';

export { makeKey, encodeKey } from './make-key.js';
export { toMilliseconds, ttlToMilliseconds } from './duration.js';
export type { Duration, Ttl } from './duration.js';
export { CacheError, InvalidOptionError, LoadTimeoutError } from './errors.js';
export type { CacheErrorCode } from './errors.js';
export { describeValue } from './describe-value.js';
export { checkSerializer } from './serializer.js';
export { checkTags } from './tags.js';
export { isError } from './is-error.js';
export { onAbort } from './on-abort.js';
export { snapshotKey } from './snapshot-key.js';
export { alignBatch, callBatch } from './batch-function.js';
export type { BatchFunction, BatchResults } from './batch-function.js';
export { batchContext } from './batch-context.js';
export type { BatchContext, BatchWaiter } from './batch-context.js';
export { idOf } from './cache-key.js';
export type { KeyId } from './cache-key.js';

// The ports: what the other packages plug into.
export { systemClock } from './clock.js';
export type { Clock, ClockTimer } from './clock.js';
export { diesAt, freshnessAt } from './entry.js';
export type { Entry, EntryTimes, Freshness } from './entry.js';
export type { Batcher } from './batcher.js';
export type { Archive, Persistence, PersistenceHost } from './persistence.js';
export type { Policy, PolicyFactory, PolicyLimits } from './policy.js';
export { lru } from './lru-policy.js';
export { tinyLfu } from './tiny-lfu-policy.js';
export type { TinyLfuOptions } from './tiny-lfu-policy.js';
export type { Serializer } from './serializer.js';
export type { Store } from './store.js';
export type {
  InvalidateOptions,
  Tier,
  TierAnswer,
  TierHost,
  TierIntent,
  TierLease,
  TierNamespace,
  TierRequest,
} from './tier.js';

export { startRedis, type RedisOptions, type RedisServer } from './redis-server.js';
export { startSentinel, type RedisSentinel, type SentinelOptions } from './sentinel.js';
export { startCluster, type ClusterOptions, type RedisCluster } from './cluster.js';
export {
  startProxy,
  type Direction,
  type Line,
  type TcpProxy,
  type ProxyConnection,
} from './proxy.js';
export type { Shape } from './proxy-flow.js';
export { ReplyError, type Argument, type Reply } from './resp.js';
export { findRedis, type FindOptions, type RedisBinary } from './redis-binary.js';
export { freePort } from './free-port.js';
export { until } from './until.js';

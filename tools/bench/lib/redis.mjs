/**
 * A Redis of the benchmark's own, on this machine. It ends with this process.
 *
 * @returns {Promise<import('../../redis/redis-server.js').RedisServer>}
 */
export async function startServer() {
  const { startRedis } = await import('../../redis/harness.mjs');
  return startRedis();
}

/** Its version. @throws (rejects) when there is none, with what to do about it */
export async function serverVersion() {
  const { findRedis } = await import('../../redis/harness.mjs');
  return (await findRedis()).version;
}

/**
 * How many keys were asked for and found since the server started.
 *
 * @param {import('../../redis/redis-server.js').RedisServer} server
 */
export async function keysFound(server) {
  return Number((await server.info('stats')).keyspace_hits);
}

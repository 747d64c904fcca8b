import type { Redis } from 'ioredis';

/** Milliseconds within which a server that has taken a connection must be ready for commands. */
const READY_WITHIN = 2000;

/**
 * Takes a connection for lost on which the database that was asked for cannot be chosen: ioredis goes
 * on in the first one, among what belongs to others.
 */
export function refuseOtherDatabases(client: Redis): void {
  client.on('error', (error: Error & { command?: { name?: string } }) => {
    if (error.command?.name === 'select') client.disconnect(true);
  });
}

/**
 * Connects anew where a server has taken the connection and says nothing more: ioredis waits for it as
 * long as the network does, which may be for a quarter of an hour.
 */
export function endSilentHandshakes(client: Redis): void {
  let timer: NodeJS.Timeout | undefined;
  client.on('connect', () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      client.disconnect(true);
    }, READY_WITHIN);
    timer.unref();
  });
  for (const event of ['ready', 'close', 'end']) {
    client.on(event, () => {
      clearTimeout(timer);
    });
  }
}

import type { Redis } from 'ioredis';

/** Milliseconds within which a server that has taken a connection must be ready for commands. */
const READY_WITHIN = 2000;

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

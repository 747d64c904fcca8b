import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

export const host = '127.0.0.1';

/**
 * A port that nobody listens on. It lies below the ports that systems give to outgoing connections: a server that is
 * down would find its port taken when it comes back, or a client that tries again and again would connect to itself.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

import { createServer, type Server } from 'node:http';
import { createOriginGuard } from './http/origin-guard.js';
import type { PageBundle } from './page/bundle.js';
import { createPlaygroundHandler } from './playground-handler.js';
import { Session } from './session.js';

/** Where a playground is served, and what stands behind it. */
export interface PlaygroundOptions {
  /**
   * The port; `0` for one that is free.
   * @defaultValue `5001`
   */
  readonly port?: number;
  /**
   * The address to listen on. Whoever reaches it can drive the cache.
   * @defaultValue `'127.0.0.1'`: this machine alone
   */
  readonly host?: string;
  /**
   * The URL of a Redis. Only what lies below `acache-playground:` is touched.
   * @defaultValue none
   */
  readonly redis?: string;
  /**
   * The path of a file that keeps the entries; it is made where there is none.
   * @defaultValue none
   */
  readonly file?: string;
}

/** A playground that is served. */
export interface Playground {
  readonly url: string;
  readonly port: number;
  /** Why the file is not used, where it is not: the entries are in memory alone then. */
  readonly fileProblem: string | null;
  close(): Promise<void>;
}

/**
 * Serves a page on which to set up a cache, put load on it, and watch it.
 *
 * @throws (rejects) TypeError for an address or a port that cannot be meant; and when it cannot listen there
 */
export function startPlayground(options: PlaygroundOptions = {}): Promise<Playground> {
  return servePlayground(options);
}

/** @param page - for tests: what a browser loads */
export async function servePlayground(
  options: PlaygroundOptions,
  page?: PageBundle,
): Promise<Playground> {
  const { host = '127.0.0.1', port = 5001, redis, file } = options;
  checkPlace(host, port);
  const session = new Session({ redis, file });
  const server = createServer(createPlaygroundHandler(session, createOriginGuard(host), page));
  try {
    await listen(server, port, host);
  } catch (error) {
    await session.close();
    throw error;
  }
  await session.ready;
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${nameOf(host)}:${bound}/`,
    port: bound,
    fileProblem: session.state.fileProblem,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      await session.close();
    },
  };
}

/** An empty host would be every address of the machine. */
function checkPlace(host: unknown, port: unknown): void {
  if (typeof host !== 'string' || host === '') {
    throw new TypeError(`host must be an address or a name, got ${JSON.stringify(host)}`);
  }
  if (!(Number.isInteger(port) && Number(port) >= 0 && Number(port) <= 65_535)) {
    throw new TypeError(`port must be a whole number from 0 to 65535, got ${JSON.stringify(port)}`);
  }
}

/** What a browser on this machine reaches it by; other loopback addresses have no name. */
function nameOf(host: string): string {
  if (host === '127.0.0.1') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

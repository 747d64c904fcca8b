import { performance } from 'node:perf_hooks';
import {
  startProxy,
  until,
  type ProxyConnection,
  type RedisServer,
  type TcpProxy,
} from '../../../tools/redis/index.js';
import type { Process } from './processes.js';

export { failOnUnhandledRejections } from '../../../tools/testing/unhandled-rejections.js';
export { deferred } from '../../../tools/testing/deferred.js';

/** Far more than anything that is promised here: the machine may be busy. */
export const SOON = 2000;

/** A network for each test, between it and a server that runs by then. */
export function proxyForEach(to: () => RedisServer, use: (proxy: TcpProxy) => unknown): void {
  let proxy: TcpProxy | undefined;
  beforeEach(async () => {
    proxy = await startProxy(to());
    use(proxy);
  });
  afterEach(() => proxy?.stop());
}

/** Holds up what clients behind a proxy hear of changes, as a busy network does, until it is to resume. */
export function holdNews(proxy: TcpProxy): void {
  for (const line of proxy.connections) if (line.heard('SUBSCRIBE')) line.hold('toClient');
}

/** How many milliseconds a call takes. */
export async function timed(call: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await call();
  return performance.now() - begun;
}

/** How many milliseconds it takes to load so many keys, one after the other. */
export function timedLoads({ cache }: Process, count: number): Promise<number> {
  return timed(async () => {
    for (let at = 0; at < count; at++) expect(await cache.get(at, () => at)).toBe(at);
  });
}

/** Where a value comes from now, without a loader: `'memory'`, `'tier'`, or `undefined` for nowhere. */
export async function sourceOf({ cache }: Process, key: unknown): Promise<string | undefined> {
  return (await cache.getWithMeta(key)).source;
}

/** The connection through a proxy that hears of changes. */
export function listenerLine(proxy: TcpProxy): Promise<ProxyConnection> {
  return until('a listener behind the proxy', () => newest(proxy, true));
}

/** The connection through a proxy that commands are sent on. */
export function dataLine(proxy: TcpProxy): Promise<ProxyConnection> {
  return until('a data link behind the proxy', () => newest(proxy, false));
}

function newest(proxy: TcpProxy, listens: boolean): ProxyConnection | undefined {
  return proxy.connections.findLast(
    (line) => line.heard('SUBSCRIBE') === listens && line.heard(listens ? 'CLIENT' : 'EVAL'),
  );
}

/** Waits until a value that is in Redis is served from there, or from memory that is trusted. */
export async function untilUsed(process: Process, key: string, value: unknown): Promise<void> {
  await until(`'${key}' to come through the tier`, async () => {
    const found = await process.cache.getWithMeta(key);
    return found.value === value && found.source !== 'loader';
  });
}

/** Waits for a state that a process reports from now on. */
export function untilSaid({ states }: Process, state: string): Promise<unknown> {
  const from = states.length;
  return until(`the event '${state}'`, () => states.includes(state, from));
}

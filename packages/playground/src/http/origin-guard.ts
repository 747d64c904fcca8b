import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';

/** Says why a request is refused; `undefined` where it is not. */
export type OriginGuard = (request: IncomingMessage) => string | undefined;

const LOOPBACK = ['localhost', '127.0.0.1', '::1'];

export function isLoopback(host: string): boolean {
  return LOOPBACK.includes(host) || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/**
 * Refuses what another site makes a browser send: a name of that site which it has pointed at this machine
 * (DNS rebinding) shows in `Host`, a request from one of its pages in `Origin` and `Sec-Fetch-Site`.
 *
 * @param host - where the server listens. Beyond loopback, addresses and this machine's name are good, too.
 */
export function createOriginGuard(host: string): OriginGuard {
  const isOpen = !isLoopback(host);
  const names = new Set([...LOOPBACK, host.toLowerCase(), ...(isOpen ? [hostname()] : [])]);

  const isOurs = (name: string): boolean =>
    names.has(name) || (isOpen && isIP(name) !== 0) || /^127\.\d+\.\d+\.\d+$/.test(name);

  return ({ headers, method }) => {
    const own = nameIn(headers.host);
    if (own === undefined || !isOurs(own)) {
      return `this page is not served under the name '${headers.host ?? ''}'`;
    }
    const { origin } = headers;
    if (origin !== undefined && originHost(origin) !== headers.host?.toLowerCase()) {
      return 'this request comes from another site';
    }
    const isRead = method === 'GET' || method === 'HEAD';
    const site = headers['sec-fetch-site'];
    if (!isRead && site !== undefined && site !== 'same-origin' && site !== 'none') {
      return 'this request comes from another site';
    }
    return undefined;
  };
}

/** The name in a `Host` header, without its port. */
function nameIn(header: string | undefined): string | undefined {
  const match = /^(?:\[([\da-f:.]+)\]|([^:[\]]+))(?::\d+)?$/i.exec(header ?? '');
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

function originHost(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    return undefined;
  }
}

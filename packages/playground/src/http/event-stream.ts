import type { ServerResponse } from 'node:http';
import { setSecurityHeaders } from './security-headers.js';

const HEARTBEAT = 15_000;
/** A client that does not read is let go before this much waits for it. */
const MOST_WAITING = 4 * 1024 * 1024;

/** Server-sent events to one client. */
export interface EventStream {
  send(message: unknown): void;
}

/**
 * Begins a stream.
 *
 * @param ended - called once, when the client has gone or was let go
 */
export function openEventStream(response: ServerResponse, ended: () => void): EventStream {
  setSecurityHeaders(response);
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  response.write('retry: 1000\n\n');
  const heartbeat = setInterval(() => response.write(': still here\n\n'), HEARTBEAT).unref();
  response.on('close', () => {
    clearInterval(heartbeat);
    ended();
  });
  return {
    send(message) {
      if (response.destroyed) return;
      if (response.writableLength > MOST_WAITING) response.destroy();
      else response.write(`data: ${JSON.stringify(message)}\n\n`);
    },
  };
}

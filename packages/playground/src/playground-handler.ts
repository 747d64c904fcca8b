import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { CacheError } from '@acache/core';
import { actionNamed } from './actions.js';
import { describeError } from './describe-error.js';
import { openEventStream } from './http/event-stream.js';
import { readJson, RequestError } from './http/json-body.js';
import type { OriginGuard } from './http/origin-guard.js';
import { sendJson, sendText } from './http/send.js';
import type { PageBundle } from './page/bundle.js';
import { isPageFile, sendPage } from './page/send-page.js';
import { BusyError, type Session } from './session.js';

/** Pages that watch at once. */
const MOST_STREAMS = 20;

/** Serves one session: its page, its live stream, and what the page asks for. */
export function createPlaygroundHandler(
  session: Session,
  guard: OriginGuard,
  files?: PageBundle,
): RequestListener {
  let streams = 0;

  const stream = (response: ServerResponse): void => {
    if (streams >= MOST_STREAMS) {
      sendText(response, 503, 'too many pages are open');
      return;
    }
    streams++;
    let off = (): void => undefined;
    const events = openEventStream(response, () => {
      streams--;
      off();
    });
    off = session.watch((message) => {
      events.send(message);
    });
  };

  const read = (path: string, response: ServerResponse): void => {
    if (path === 'api/stream') stream(response);
    else if (path === 'api/state') sendJson(response, 200, session.state);
    else if (isPageFile(path)) {
      sendPage(response, path, { mode: 'playground', title: 'acache playground', files });
    } else sendText(response, 404, 'there is nothing here');
  };

  const act = async (
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> => {
    const action = path.startsWith('api/') ? actionNamed(path.slice('api/'.length)) : undefined;
    if (action === undefined) throw new RequestError(404, 'there is nothing here');
    const result = await action(session, await readJson(request));
    sendJson(response, 200, { result: result ?? null });
  };

  return (request, response) => {
    const refusal = guard(request);
    const path = (request.url ?? '/').split('?')[0]?.slice(1) ?? '';
    if (refusal !== undefined) sendText(response, 403, refusal);
    else if (request.method === 'GET') read(path, response);
    else if (request.method === 'POST') {
      act(path, request, response).catch((error: unknown) => {
        sendJson(response, statusOf(error), { error: describeError(error) });
      });
    } else sendText(response, 405, 'GET or POST');
  };
}

function statusOf(error: unknown): number {
  if (error instanceof RequestError) return error.status;
  if (error instanceof BusyError) return 409;
  return error instanceof CacheError ? 400 : 500;
}

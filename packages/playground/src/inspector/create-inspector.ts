import type { IncomingMessage, ServerResponse } from 'node:http';
import { send, sendJson, sendText } from '../http/send.js';
import type { PageBundle } from '../page/bundle.js';
import { isPageFile, sendPage } from '../page/send-page.js';
import {
  checkInspectorOptions,
  type Inspected,
  type InspectorOptions,
} from './inspector-options.js';
import { Inspector } from './inspector.js';

/** What `node:http` calls with each request, and what every framework can. */
export type InspectorHandler = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * A page to watch caches on, for your own service: read-only, under any path, and closed unless
 * `allow` opens it. Without keys and values, unless they are asked for.
 *
 * It costs nothing while nobody looks: it listens to the caches for a few seconds after each look, and
 * keeps neither them nor the process alive.
 *
 * ```ts
 * const inspect = createInspector([users, carts], { allow: (request) => isOperator(request) });
 * app.use('/caches', inspect);
 * ```
 *
 * @throws InvalidOptionError for an option that cannot be meant, and for what is no cache
 */
export function createInspector(
  caches: Inspected,
  options: InspectorOptions = {},
): InspectorHandler {
  return inspectorWith(caches, options);
}

/** @param files - for tests: what a browser loads */
export function inspectorWith(
  caches: Inspected,
  options: InspectorOptions,
  files?: PageBundle,
): InspectorHandler {
  checkInspectorOptions(options);
  const { allow, title = 'Caches' } = options;
  const inspector = new Inspector(caches, options);

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.method !== 'GET') {
      send(response, 405, 'text/plain', 'this page is read-only\n', { allow: 'GET' });
      return;
    }
    const [path, name] = pathOf(request);
    if (name === 'snapshot.json') sendJson(response, 200, inspector.look());
    else if (isPageFile(name)) sendPage(response, name, { mode: 'inspector', title, files });
    // What the page loads lies beside it, so its own path must end with a slash.
    else if (path.length < 1000) {
      send(response, 302, 'text/plain', '', { location: `./${name}/` });
    } else sendText(response, 404, 'there is nothing here');
  };

  return (request, response) => {
    isAllowed(allow, request)
      .then((isOpen) => {
        if (isOpen) answer(request, response);
        else sendText(response, 403, 'you may not see this');
      })
      .catch(() => {
        sendText(response, 500, 'this cannot be shown');
      });
  };
}

async function isAllowed(
  allow: InspectorOptions['allow'],
  request: IncomingMessage,
): Promise<boolean> {
  if (allow === undefined) return false;
  try {
    // A user, say, where somebody forgot to compare, is no `true`.
    return ((await allow(request)) as unknown) === true;
  } catch {
    return false;
  }
}

/** The path that the browser asked for, and its last part. Express takes the mount path off `url`. */
function pathOf(request: IncomingMessage): [path: string, name: string] {
  const { originalUrl } = request as { originalUrl?: unknown };
  const url = typeof originalUrl === 'string' ? originalUrl : (request.url ?? '/');
  const path = url.split('?')[0] ?? '/';
  return [path, path.slice(path.lastIndexOf('/') + 1)];
}

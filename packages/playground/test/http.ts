import { request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';

export interface Response {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Asks a server on this machine, with exactly these headers: `fetch` would not let a test write `Host`. */
export function ask(
  port: number,
  path: string,
  {
    method = 'GET',
    headers = {},
    body,
  }: { method?: string; headers?: OutgoingHttpHeaders; body?: string } = {},
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

/** Posts JSON as the page does. */
export function post(port: number, action: string, body: unknown = {}): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return ask(port, `/api/${action}`, { method: 'POST', headers, body: JSON.stringify(body) });
}

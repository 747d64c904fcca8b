import { get } from 'node:http';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { ask, post } from '../test/http.js';
import { servePlayground, type Playground } from './start-playground.js';

const page = { script: 'console.log(1);', style: 'body {}' };

describe('a playground that is served', () => {
  let playground: Playground;
  beforeEach(async () => {
    playground = await servePlayground({ port: 0 }, page);
  });
  afterEach(() => playground.close());

  it('serves the page and what it loads, and lets it load nothing else', async () => {
    const { headers, status, text } = await ask(playground.port, '/');
    expect(status).toBe(200);
    expect(text).toContain('data-mode="playground"');
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self'/);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect((await ask(playground.port, '/app.js?v=1')).text).toBe(page.script);
    expect((await ask(playground.port, '/app.css')).headers['content-type']).toMatch(/^text\/css/);
    expect((await ask(playground.port, '/../package.json')).status).toBe(404);
  });

  it('does what the page asks for, and says what is wrong', async () => {
    const { port } = playground;
    const set = await post(port, 'configure', { kind: 'AsyncCache', ttl: '5s' });
    expect(JSON.parse(set.text)).toMatchObject({ result: { settings: { ttl: '5s' } } });
    expect((await post(port, 'get', { id: 'item 1' })).text).toContain('(miss');
    expect((await post(port, 'get', { id: 'item 1' })).text).toContain('(hit');
    expect((await post(port, 'delete', { key: 'item 1' })).text).toContain('it is gone');
    const bad = await post(port, 'configure', { ttl: 'soon' });
    expect(bad.status).toBe(400);
    expect(JSON.parse(bad.text)).toEqual({ error: expect.stringContaining("'soon'") });
    expect((await post(port, 'get', { id: '' })).text).toContain('id must be');
    expect((await post(port, 'invalidate-tags', { tags: ' , ' })).status).toBe(400);
    expect((await post(port, 'toString')).status).toBe(404);
  });

  it.each([
    ['a name that was pointed here', 403, { host: 'evil.example' }],
    ['another site', 403, { origin: 'https://evil.example' }],
    ['a form', 415, { 'content-type': 'application/x-www-form-urlencoded' }],
    ['no type', 415, { 'content-type': '' }],
  ])('takes nothing from %s', async (_, status, headers) => {
    const asked = { 'content-type': 'application/json', ...headers };
    const answer = await ask(playground.port, '/api/clear', {
      method: 'POST',
      headers: asked,
      body: '{}',
    });
    expect(answer.status).toBe(status);
  });

  it('takes JSON of a bounded size only', async () => {
    const json = (body: string) =>
      ask(playground.port, '/api/get', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
    expect((await json('{')).text).toContain('no JSON');
    expect((await json(JSON.stringify({ id: 'x'.repeat(100_000) }))).status).toBe(413);
    expect((await ask(playground.port, '/', { method: 'PUT' })).status).toBe(405);
  });

  it('streams what happens, and ends with the stream open', async () => {
    const asked = get({ host: '127.0.0.1', port: playground.port, path: '/api/stream' });
    const [response] = (await once(asked, 'response')) as [NodeJS.ReadableStream];
    const types: string[] = [];
    const isThere = new Promise<void>((resolve) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        types.splice(
          0,
          Infinity,
          ...[...text.matchAll(/"type":"(\w+)"/g)].map(([, type]) => type!),
        );
        if (types.includes('burst')) resolve();
      });
    });
    response.on('error', () => undefined);
    await post(playground.port, 'run', { collection: 'half' });
    await isThere;
    expect(types.slice(0, 3)).toEqual(['state', 'sample', 'entries']);
    expect(types).toContain('progress');
  });

  it('lets an agent run in circles', async () => {
    const limits = { maxToolRepeats: 3, maxExecutionDepth: 50 };
    const body = { scenario: 'cycle', onLoop: 'throw', calls: 20, ...limits };
    const { text } = await post(playground.port, 'loops', body);
    expect(text).toContain('Cycle detected: check_stock -> update_stock');
  });

  it('checks the settings that are set up', async () => {
    await post(playground.port, 'configure', { kind: 'batch', maxSize: 10 });
    const { result } = JSON.parse((await post(playground.port, 'verify')).text) as {
      result: { pass: boolean }[];
    };
    expect(result.map(({ pass }) => pass)).toEqual([true, true, true, true, true, true]);
  });
});

it('rejects where the port is in use, and leaves nothing open', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  await expect(servePlayground({ port }, page)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  other.close();
});

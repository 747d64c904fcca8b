import { connect } from 'node:net';
import { ask, post } from '../test/http.js';
import { runCommand } from './command.js';
import { servePlayground, type Playground, type PlaygroundOptions } from './start-playground.js';
import { wallTime } from './time.js';

const page = { script: 'console.log(1);', style: 'body {}' };

describe('where it listens', () => {
  it('says a url at which it answers, on another loopback address too', async () => {
    const playground = await servePlayground({ port: 0, host: '127.0.0.2' }, page);
    try {
      const status = await fetch(playground.url).then(
        (response) => response.status,
        (error: unknown) => (error as Error & { cause?: { code?: string } }).cause?.code,
      );
      expect([playground.url, status]).toEqual([playground.url, 200]);
    } finally {
      await playground.close();
    }
  });

  it.each(['', ' 1', '0x10', '1e3', '1.5', '65536', 'abc'])('takes no port %j', async (port) => {
    const start = jest.fn();
    const output = { out: jest.fn(), error: jest.fn() };
    expect(await runCommand([`--port=${port}`], output, start)).toEqual({ code: 2 });
    expect(start).not.toHaveBeenCalled();
  });
});

describe('what others send', () => {
  let playground: Playground;
  beforeEach(async () => {
    playground = await servePlayground({ port: 0 }, page);
  });
  afterEach(() => playground.close());

  it.each(['evil.example', '127.0.0.1.evil.example', 'localhost@evil.example', '127.1', '0.0.0.0'])(
    'is not served under %s',
    async (host) => {
      expect((await ask(playground.port, '/', { headers: { host } })).status).toBe(403);
      const headers = { host, 'content-type': 'application/json' };
      const cleared = await ask(playground.port, '/api/clear', {
        method: 'POST',
        headers,
        body: '{}',
      });
      expect(cleared.status).toBe(403);
    },
  );

  it('knows actions and choices by their own names only', async () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      expect((await post(playground.port, name)).status).toBe(404);
      expect((await post(playground.port, 'run', { collection: name })).status).toBe(400);
      expect((await post(playground.port, 'configure', { kind: name })).status).toBe(400);
      expect((await post(playground.port, 'loops', { scenario: name })).status).toBe(400);
    }
    const polluted = await ask(playground.port, '/api/configure', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"__proto__":{"ttl":1},"constructor":{"prototype":{"ttl":1}},"kind":"AsyncCache"}',
    });
    expect(polluted.status).toBe(200);
    expect(({} as { ttl?: unknown }).ttl).toBeUndefined();
    expect(polluted.text).toContain('"ttl":"60s"');
  });

  it('bounds how many watch at once, and closes with all of them and a half-sent body', async () => {
    const sockets = Array.from({ length: 60 }, () => {
      const socket = connect(playground.port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write('GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n');
      return socket;
    });
    const half = connect(playground.port, '127.0.0.1');
    half.on('error', () => undefined);
    half.write(
      'POST /api/get HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
    );
    const heads = await Promise.all(
      sockets.map(
        (socket) =>
          new Promise<string>((resolve) =>
            socket.once('data', (data: Buffer) => {
              socket.pause(); // a client that does not read
              resolve(data.toString().slice(9, 12));
            }),
          ),
      ),
    );
    expect(heads.filter((status) => status === '200').length).toBeLessThan(60);
    await playground.close();
    for (const socket of [...sockets, half]) socket.destroy();
  });
});

it('is not kept alive by a load that is still waiting', () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  void wallTime.sleep(60_000);
  expect(timers()).toBe(before);
});

it.each([
  [{ host: '' }, 'host must be an address or a name, got ""'],
  [{ host: null }, 'host must be an address or a name, got null'],
  [{ host: 5 }, 'host must be an address or a name, got 5'],
  [{ port: 70_000 }, 'port must be a whole number from 0 to 65535, got 70000'],
  [{ port: '5001' }, 'port must be a whole number from 0 to 65535, got "5001"'],
])('refuses %p', async (options, message) => {
  await expect(servePlayground(options as PlaygroundOptions, page)).rejects.toThrow(message);
});

import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { findRedis, startRedis, until, type RedisServer } from './index.js';
import { makeCertificates } from './certificates.js';

const open = async (port: number): Promise<Socket> => {
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  return socket.on('error', () => undefined);
};

const folderOf = async (redis: RedisServer): Promise<string> =>
  (await redis.command<[string, string]>('CONFIG', 'GET', 'dir'))[1];

describe('startRedis', () => {
  it('starts a server of its own, with nothing in it and nothing on disk', async () => {
    await using redis = await startRedis();
    await using other = await startRedis();
    expect(other.port).not.toBe(redis.port);
    expect(redis.url).toBe(`redis://127.0.0.1:${redis.port}`);
    expect(await redis.command('DBSIZE')).toBe(0);
    expect(await redis.command('CONFIG', 'GET', 'save')).toEqual(['save', '']);
    const { version } = await findRedis();
    expect(Object.values(await redis.info('server'))).toContain(version);
  });

  it('removes its folder when it stops', async () => {
    const redis = await startRedis();
    const folder = await folderOf(redis);
    expect(existsSync(folder)).toBe(true);
    await redis.stop();
    expect(existsSync(folder)).toBe(false);
    await redis.stop();
    await expect(redis.restart()).rejects.toThrow('the server was stopped for good');
  });

  it('throws with what the server said when it does not start', async () => {
    await expect(startRedis({ args: ['--maxmemory', 'much'] })).rejects.toThrow(
      /the server ended instead of starting; it said:[^]*maxmemory/,
    );
    await using redis = await startRedis();
    await expect(startRedis({ port: redis.port })).rejects.toThrow('Address already in use');
  });

  it('starts while the test fakes time', async () => {
    jest.useFakeTimers();
    try {
      await using redis = await startRedis();
      await redis.freeze();
      redis.thaw();
      expect(await redis.command('PING')).toBe('PONG');
    } finally {
      jest.useRealTimers();
    }
  });

  it('knows the users it is given, and has one of its own', async () => {
    await using redis = await startRedis({
      users: ['default off', 'app on >secret ~app:* -@all +get'],
    });
    const list = await redis.command<string[]>('ACL', 'LIST');
    expect(list.map((rule) => rule.split(' ', 3).slice(1).join(' ')).sort()).toEqual([
      'app on',
      'default off',
      'harness on',
    ]);
    const socket = await open(redis.port);
    socket.write('GET app:1\r\nAUTH app secret\r\nGET app:1\r\nGET other\r\n');
    let said = '';
    for await (const bytes of socket) {
      said += String(bytes);
      if (said.split('\r\n').length > 4) break;
    }
    expect(said.split('\r\n').map((line) => line.split(' ')[0])).toEqual([
      '-NOAUTH',
      '+OK',
      '$-1',
      '-NOPERM',
      '',
    ]);
  });

  it('speaks TLS with those who trust it', async () => {
    await using redis = await startRedis({ tls: true });
    expect(redis.url).toBe(`rediss://127.0.0.1:${redis.port}`);
    expect(await redis.command('PING')).toBe('PONG');
    const trusting = connectTls({ host: redis.host, port: redis.port, ...redis.tls });
    await once(trusting, 'secureConnect');
    expect(trusting.authorized).toBe(true);
    trusting.destroy();
    const { ca } = makeCertificates();
    const [error] = await once(connectTls({ port: redis.port, ca }), 'error');
    expect(error).toMatchObject({ code: expect.stringMatching(/CERT|SIGNATURE|ISSUER/) });
  });

  it('starts a replica in step with its primary', async () => {
    await using primary = await startRedis();
    await primary.command('SET', 'key', 'value');
    await using replica = await startRedis({ replicaOf: primary });
    expect(await replica.command('GET', 'key')).toBe('value');
    await expect(replica.command('SET', 'key', 'other')).rejects.toThrow('READONLY');
    await primary.command('SET', 'key', 'next');
    await until(
      'the write to arrive',
      async () => (await replica.command('GET', 'key')) === 'next',
    );
    await replica.restart();
    expect(await replica.command('GET', 'key')).toBe('next');
  });
});

describe('RedisServer', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  it('answers commands', async () => {
    expect(await redis.command('SET', 'key', 1)).toBe('OK');
    expect(await redis.command('INCR', 'key')).toBe(2);
    expect(await redis.command('MGET', 'key', 'none')).toEqual(['2', null]);
    const bytes = Buffer.from([0, 255, 13, 10]);
    await redis.command('SET', bytes, bytes);
    expect(await redis.commandBuffer('GET', bytes)).toEqual(bytes);
    await expect(redis.command('LPUSH', 'key', 'x')).rejects.toThrow('WRONGTYPE');
    const long = 'x'.repeat(1_000_000);
    expect(await redis.command('ECHO', long)).toBe(long);
    expect(await redis.command('EVAL', 'return {1, {"two", false}}', 0)).toEqual([
      1,
      ['two', null],
    ]);
    expect(await redis.info('keyspace')).toMatchObject({ db0: expect.stringContaining('keys=2') });
  });

  it('is gone when it is killed, and comes back empty on the same port', async () => {
    await redis.command('SET', 'key', 'value');
    const { port, pid } = redis;
    const socket = await open(port);
    await redis.kill();
    await until('the connection to close', () => socket.resume().destroyed);
    expect(redis.isRunning).toBe(false);
    await expect(redis.command('PING')).rejects.toThrow(
      `PING to the server at 127.0.0.1:${port} failed: connect ECONNREFUSED`,
    );
    await redis.kill();
    await redis.restart();
    expect(redis.pid).not.toBe(pid);
    expect(redis.port).toBe(port);
    expect(redis.isRunning).toBe(true);
    expect(await redis.command('GET', 'key')).toBeNull();
  });

  it('restarts a server that runs, with its data where it is to keep them', async () => {
    await using keeper = await startRedis({ args: ['--appendonly', 'yes'] });
    await keeper.command('SET', 'key', 'value');
    await keeper.restart();
    expect(await keeper.command('GET', 'key')).toBe('value');
  });

  it('is silent while it is frozen, with its connections open', async () => {
    await using other = await startRedis();
    const socket = await open(redis.port);
    await redis.freeze();
    expect(redis.isRunning).toBe(false);
    let said = '';
    socket.on('data', (bytes) => (said += String(bytes)));
    socket.write('PING\r\n');
    const late = redis.command('PING');
    // One that is not would have answered by the time that another one has.
    expect(await other.command('PING')).toBe('PONG');
    expect(said).toBe('');
    expect(socket.readyState).toBe('open');
    redis.thaw();
    expect(await late).toBe('PONG');
    await until('the answer', () => said === '+PONG\r\n');
    socket.destroy();
  });

  it('can be killed or stopped while it is frozen', async () => {
    await redis.freeze();
    await redis.kill();
    await redis.restart();
    await redis.freeze();
    await redis.restart();
    expect(await redis.command('PING')).toBe('PONG');
    const other = await startRedis();
    await other.freeze();
    await other.stop();
    expect(() => other.pid).toThrow('the process is not running');
  });
});

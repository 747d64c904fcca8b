import { InvalidOptionError } from '@acache/core';
import { Redis, type RedisOptions } from 'ioredis';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { startRedis, type RedisServer } from '../../../tools/redis/index.js';
import { redisTier, type RedisTarget } from '../src/index.js';
import {
  endProcesses,
  expectOneCache,
  startCoherent,
  startTwo,
  untilCoherent,
} from './processes.js';

let open: RedisServer;
let guarded: RedisServer;
let encrypted: RedisServer;
const socket = join(tmpdir(), `acache-${process.pid}.sock`);
beforeAll(async () => {
  [open, guarded, encrypted] = await Promise.all([
    startRedis({ args: ['--unixsocket', socket] }),
    startRedis({
      users: ['default on >default-word ~* &* +@all', 'app on >p@ss:w/rd ~* &* +@all'],
    }),
    startRedis({ tls: true }),
  ]);
});
afterEach(endProcesses);
afterAll(async () => {
  await Promise.all([open.stop(), guarded.stop(), encrypted.stop()]);
  await rm(socket, { force: true });
});

const options = ({ host, port }: RedisServer): RedisOptions => ({ host, port });
/** `redis://user:password@host/db` of a server. */
function urlOf({ url }: RedisServer, user: string, db = ''): string {
  return url.replace('//', `//${user}@`) + db;
}
const words = encodeURIComponent('p@ss:w/rd');

const targets: [string, () => RedisTarget, () => RedisServer, db?: string][] = [
  ['a URL', () => open.url, () => open],
  ['a URL with a database', () => `${open.url}/5`, () => open, '5'],
  ['a URL without a scheme', () => `//${open.host}:${open.port}`, () => open],
  ['a host and a port', () => `${open.host}:${open.port}`, () => open],
  ['a URL with a password', () => urlOf(guarded, ':default-word'), () => guarded],
  ['a URL with a user', () => urlOf(guarded, `app:${words}`, '/2'), () => guarded, '2'],
  ['options', () => options(open), () => open],
  ['options with a database', () => ({ ...options(open), db: 7 }), () => open, '7'],
  ['a password', () => ({ ...options(guarded), password: 'default-word' }), () => guarded],
  [
    'a user and a password',
    () => ({ ...options(guarded), username: 'app', password: 'p@ss:w/rd' }),
    () => guarded,
  ],
  ['a unix socket', () => socket, () => open],
  ['a unix socket among options', () => ({ path: socket }), () => open],
  ['TLS', () => ({ ...options(encrypted), tls: { ...encrypted.tls } }), () => encrypted],
  [
    'a client with TLS by its URL',
    () => new Redis(encrypted.url, { tls: { ...encrypted.tls }, lazyConnect: true }),
    () => encrypted,
  ],
  ['an IPv4 address only', () => ({ ...options(open), host: 'localhost', family: 4 }), () => open],
];

describe.each(targets)('redisTier with %s', (_what, target, server, db = '0') => {
  it('shares one cache between processes', async () => {
    await server().command('FLUSHALL');
    const [a, b] = await startCoherent(target());
    await expectOneCache(a, b);
    expect(Object.keys(await server().info('keyspace'))).toEqual([`db${db}`]);
  });
});

describe('two databases of one server', () => {
  it('hold caches that know nothing of each other', async () => {
    const [first] = await startTwo(`${open.url}/0`);
    const [second] = await startTwo(`${open.url}/1`);
    await untilCoherent(first, second);
    await first.cache.set('key', 'first');
    await second.cache.set('key', 'second');
    expect(await first.cache.get('key')).toBe('first');
    await first.cache.clear();
    expect(await second.cache.get('key')).toBe('second');
  });
});

describe('a server whose certificate nobody trusts', () => {
  it('is not talked to: the loader answers, and an event says why', async () => {
    const [a] = await startTwo({ ...options(encrypted), tls: {} }, { commandTimeout: 100 });
    expect(await a.cache.get('key', () => 'loaded')).toBe('loaded');
    const { detail } = a.events.find(({ state }) => state === 'disconnected') ?? {};
    expect(detail).toMatchObject({
      reason: expect.objectContaining({ message: expect.stringContaining('certificate') }),
    });
  });
});

describe('an argument that is nothing to connect to', () => {
  const client = new Redis({ lazyConnect: true, keyPrefix: 'half{open:' });
  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [6379, '6379'],
    [true, 'true'],
    ['', "''"],
    ['  ', "'  '"],
    [[], 'an array'],
    [() => 'redis://localhost', 'function'],
    [new Map(), 'an instance of Map'],
    [new URL('redis://user:hidden@localhost'), 'an instance of URL'],
    [Promise.resolve('redis://localhost'), 'an instance of Promise'],
    ['http://user:hidden@localhost', 'a URL of http:'],
    ['valkey://:hidden@localhost', 'a URL of valkey:'],
    ['redis://user:hidden@local host:1', 'a URL of redis:'],
    ['redis://user:hidden@localhost:99999', 'a URL of redis:'],
    [client, "'half{open:'"],
  ])('is refused at once, with what came: %p', (target, got) => {
    const attempt = (): unknown => redisTier(target as RedisTarget);
    expect(attempt).toThrow(InvalidOptionError);
    expect(attempt).toThrow(got);
    expect(attempt).toThrow(/^(?:redis|keyPrefix of the client) m[au][ys]/);
    expect(attempt).not.toThrow(/hidden/);
  });

  it('is refused when it is a URL after a blank', () => {
    let error: unknown;
    try {
      redisTier(' redis://user:hidden@localhost');
    } catch (thrown) {
      error = thrown;
    }
    expect(inspect(error)).not.toContain('hidden');
    expect(error).toBeInstanceOf(InvalidOptionError);
  });
});

describe('an option that cannot be meant', () => {
  it.each([
    [{ prefix: '' }, 'prefix', "''"],
    [{ prefix: 5 }, 'prefix', '5'],
    [{ prefix: 'a{b' }, 'prefix', "'a{b'"],
    [{ prefix: '{}' }, 'prefix', "'{}'"],
    [{ prefix: 'a}b' }, 'prefix', "'a}b'"],
    [{ prefix: '\ud800' }, 'prefix', 'got'],
    [{ coherence: 'always' }, 'coherence', "'always'"],
    [{ coherence: true }, 'coherence', 'true'],
    [{ staleness: '2 seconds' }, 'staleness', "'2 seconds'"],
    [{ staleness: -1 }, 'staleness', '-1'],
    [{ staleness: Infinity }, 'staleness', 'Infinity'],
    [{ commandTimeout: 0 }, 'commandTimeout', '0'],
    [{ commandTimeout: Number.NaN }, 'commandTimeout', 'NaN'],
    [{ commandTimeout: '60d' }, 'commandTimeout', "'60d'"],
    [{ lockTtl: 0 }, 'lockTtl', '0'],
    [{ compressAbove: -1 }, 'compressAbove', '-1'],
    [{ compressAbove: true }, 'compressAbove', 'true'],
    [{ compressAbove: '1kb' }, 'compressAbove', "'1kb'"],
    [{ maxTtl: 0 }, 'maxTtl', '0'],
    [{ maxTtl: Infinity }, 'maxTtl', 'Infinity'],
    [{ serializer: JSON }, 'serializer', 'got'],
    [{ serializer: {} }, 'serializer', 'an object'],
    [{ breaker: 3 }, 'breaker', '3'],
    [{ breaker: { failures: 0 } }, 'breaker.failures', '0'],
    [{ breaker: { failures: 1.5 } }, 'breaker.failures', '1.5'],
    [{ breaker: { openFor: '1 s' } }, 'breaker.openFor', "'1 s'"],
    ['acache', 'options', "'acache'"],
    [null, 'options', 'null'],
  ])('is refused at once, with what was expected and what came: %p', (given, name, got) => {
    const attempt = (): unknown => redisTier('redis://:hidden@localhost', given as never);
    expect(attempt).toThrow(InvalidOptionError);
    expect(attempt).toThrow(new RegExp(`^${name.replace('.', '\\.')} m`));
    expect(attempt).toThrow(got);
    expect(attempt).not.toThrow(/hidden/);
  });

  it.each(['staleness', 'commandTimeout', 'lockTtl', 'maxTtl', 'serializer'])(
    'is refused when it is null: %s',
    (name) => {
      expect(() => redisTier('redis://localhost', { [name]: null })).toThrow(InvalidOptionError);
    },
  );

  it('is none where it is undefined, which stands for the default', () => {
    const tier = redisTier('redis://localhost', {
      prefix: undefined,
      coherence: undefined,
      staleness: undefined,
      commandTimeout: undefined,
      lockTtl: undefined,
      compressAbove: undefined,
      maxTtl: undefined,
      serializer: undefined,
      breaker: undefined,
    });
    expect(tier.prefix).toBe('acache');
  });
});

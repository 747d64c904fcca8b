import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { connect as connectTls } from 'node:tls';
import { startProxy, startRedis, until, type TcpProxy } from './index.js';

/** One end of a connection, and what has arrived at it. */
class End {
  pieces: string[] = [];
  hasEnded = false;
  error: string | undefined;

  constructor(readonly socket: Socket) {
    socket.on('data', (bytes) => this.pieces.push(String(bytes)));
    socket.on('end', () => (this.hasEnded = true));
    socket.on('error', (error: NodeJS.ErrnoException) => (this.error = error.code));
  }

  get heard(): string {
    return this.pieces.join('');
  }

  says(text: string): void {
    this.socket.write(text);
  }

  async hears(text: string): Promise<void> {
    await until(`'${text}' after '${this.heard}'`, () => this.heard === text);
  }
}

describe('startProxy', () => {
  let server: Server;
  let proxy: TcpProxy;
  /** A network that does nothing. */
  let calm: TcpProxy;
  let peers: End[] = [];

  beforeAll(async () => {
    server = createServer((socket) => peers.push(new End(socket)));
    await once(server.listen(0, '127.0.0.1'), 'listening');
  });
  beforeEach(async () => {
    peers = [];
    const { port } = server.address() as AddressInfo;
    [proxy, calm] = [await startProxy(port), await startProxy(port)];
  });
  afterEach(() => Promise.all([proxy.stop(), calm.stop()]));
  afterAll(() => server.close());

  const dial = async (through = proxy): Promise<End> => {
    const end = new End(connect({ port: through.port, host: through.host }));
    await once(end.socket, 'connect');
    return end;
  };

  /** The two ends of a connection through the proxy. */
  const pair = async (through = proxy): Promise<[client: End, peer: End]> => {
    const before = peers.length;
    const client = await dial(through);
    await until('the server to be reached', () => peers.length > before);
    return [client, peers.at(-1)!];
  };

  /** Waits for as long as a network takes that does nothing, there and back. */
  const whatComesHasCome = async (): Promise<void> => {
    const [client, peer] = await pair(calm);
    client.says('there');
    await peer.hears('there');
    peer.says('back');
    await client.hears('back');
  };

  it('passes on what either side says, and that it has ended', async () => {
    const [client, peer] = await pair();
    client.says('ping');
    await peer.hears('ping');
    peer.says('pong');
    await client.hears('pong');
    client.socket.end('bye');
    await until('the end', () => peer.hasEnded && client.hasEnded);
    expect(peer.heard).toBe('pingbye');
    await until('the connection to be forgotten', () => proxy.connections.length === 0);
    expect(proxy.accepted).toBe(1);
  });

  it('closes a connection that the server does not take', async () => {
    await using toNowhere = await startProxy(1);
    const end = new End(connect({ port: toNowhere.port, host: toNowhere.host }));
    await until('the end', () => end.hasEnded);
  });

  it('lags behind in each direction', async () => {
    const [client, peer] = await pair();
    proxy.shape({ lag: 40 });
    let begun = performance.now();
    client.says('a');
    client.says('b');
    await peer.hears('ab');
    expect(performance.now() - begun).toBeGreaterThanOrEqual(39);
    proxy.shape({}, 'toServer');
    proxy.shape({ lag: 60 }, 'toClient');
    begun = performance.now();
    client.says('c');
    await peer.hears('abc');
    peer.says('d');
    await client.hears('d');
    expect(performance.now() - begun).toBeGreaterThanOrEqual(59);
  });

  it('takes apart what comes together', async () => {
    proxy.shape({ chunk: 1 }, 'toClient');
    const [client, peer] = await pair();
    client.says('all at once');
    await peer.hears('all at once');
    expect(peer.pieces).toEqual(['all at once']);
    peer.says('in pieces');
    await client.hears('in pieces');
    expect(client.pieces).toEqual('in pieces'.split(''));
    proxy.shape({ chunk: 4 });
    peer.says(' or more');
    await client.hears('in pieces or more');
    expect(client.pieces.slice(9)).toEqual([' or ', 'more']);
  });

  it('is as slow as it is told to be', async () => {
    proxy.shape({ bytesPerSecond: 100_000 });
    const [client, peer] = await pair();
    const begun = performance.now();
    client.says('x'.repeat(10_000));
    await until('all of it', () => peer.heard.length === 10_000);
    expect(performance.now() - begun).toBeGreaterThanOrEqual(99);
    expect(peer.pieces.length).toBeGreaterThan(5);
  });

  it('cuts connections, and takes new ones', async () => {
    const [client, peer] = await pair();
    proxy.cut();
    await until('both ends to hear of it', () => client.hasEnded && peer.hasEnded);
    const [reset, resetPeer] = await pair();
    proxy.cut({ reset: true });
    await until(
      'both ends to hear of it',
      () => reset.error === 'ECONNRESET' && resetPeer.error === 'ECONNRESET',
    );
    const [next, nextPeer] = await pair();
    next.says('here');
    await nextPeer.hears('here');
  });

  it('refuses new connections until it resumes', async () => {
    const [client, peer] = await pair();
    proxy.refuse();
    await expect(dial()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    client.says('still here');
    await peer.hears('still here');
    await proxy.resume();
    await pair();
  });

  it('holds what is said until it resumes', async () => {
    const [client, peer] = await pair();
    proxy.hold();
    client.says('early');
    peer.says('late');
    peer.socket.end(' and gone');
    const [other, otherPeer] = await pair();
    other.says('new');
    await whatComesHasCome();
    expect([peer, client, otherPeer].map(({ heard }) => heard)).toEqual(['', '', '']);
    expect(client.hasEnded).toBe(false);
    await proxy.resume();
    await peer.hears('early');
    await client.hears('late and gone');
    await otherPeer.hears('new');
    await until('the end', () => client.hasEnded);
  });

  it('swallows what is said, and then cuts what makes no sense any more', async () => {
    const [client, peer] = await pair();
    const [idle, idlePeer] = await pair();
    proxy.swallow();
    client.says('lost');
    peer.socket.destroy();
    const [dead, deadPeer] = await pair();
    dead.says('hello?');
    await whatComesHasCome();
    expect([peer, deadPeer].map(({ heard }) => heard)).toEqual(['', '']);
    expect([client, dead].map(({ hasEnded }) => hasEnded)).toEqual([false, false]);
    expect(proxy.connections).toHaveLength(3);
    await proxy.resume();
    await until('the end', () => client.hasEnded && dead.hasEnded);
    idle.says('fine');
    await idlePeer.hears('fine');
  });

  it('swallows one direction only', async () => {
    const [client, peer] = await pair();
    proxy.swallow('toClient');
    client.says('ping');
    await peer.hears('ping');
    peer.says('pong');
    await whatComesHasCome();
    expect(client.heard).toBe('');
    await proxy.resume();
    await until('the end', () => client.hasEnded);
  });

  it('does to one connection what it is told to, and not to others', async () => {
    const [subscriber, subscriberPeer] = await pair();
    const [reader, readerPeer] = await pair();
    subscriber.says('subscribe news');
    reader.says('GET news');
    await readerPeer.hears('GET news');
    await subscriberPeer.hears('subscribe news');
    const [line, ...others] = proxy.connections.filter((each) => each.heard('SUBSCRIBE'));
    expect(others).toEqual([]);
    line!.hold('toClient');
    subscriberPeer.says('message');
    readerPeer.says('value');
    await reader.hears('value');
    expect(subscriber.heard).toBe('');
    line!.resume();
    await subscriber.hears('message');
  });

  it('passes Redis on, with TLS too, while the server is restarted behind it', async () => {
    await using redis = await startRedis({ tls: true });
    await using secure = await startProxy(redis);
    expect(secure.url).toBe(`rediss://127.0.0.1:${secure.port}`);
    secure.shape({ chunk: 7 });
    for (let round = 0; round < 2; round++) {
      const { port } = secure;
      const end = new End(connectTls({ host: '127.0.0.1', port, ...redis.tls }));
      end.says('PING\r\n');
      await end.hears('+PONG\r\n');
      await redis.restart();
      await until('the end', () => end.hasEnded || end.error !== undefined);
    }
  });
});

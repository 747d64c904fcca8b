import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort, host } from './free-port.js';
import { ProxyFlow, type Mode, type Shape } from './proxy-flow.js';

export type Direction = 'toServer' | 'toClient' | 'both';

/** What a test can do to one connection; the proxy does it to all there are and all to come. */
export interface Line {
  /** Delays or cuts up what comes from now on; `{}` undoes it. */
  shape(shape: Shape, direction?: Direction): void;
  /** Keeps what comes, the end of the connection too, until `resume`: a network that is down and comes back. */
  hold(direction?: Direction): void;
  /** Loses what comes, the end of the connection too: a peer that is gone without a word. */
  swallow(direction?: Direction): void;
  /** Lets everything pass again. What was held arrives; a connection that has lost bytes is cut. */
  resume(): void | Promise<void>;
  /** Ends the connection on both sides: as a closed one does, or with a reset. */
  cut(options?: { reset?: boolean }): void;
}

/**
 * Listens on a free port and passes everything on to a server on 127.0.0.1, until told otherwise. A connection that the
 * server does not take is closed.
 * @param to a server, or its port
 */
export async function startProxy(to: number | { port: number; url?: string }): Promise<TcpProxy> {
  const proxy = new TcpProxy(await freePort(), typeof to === 'number' ? { port: to } : to);
  await proxy.resume();
  return proxy;
}

type State = { shape: Shape; mode: Mode };
type States = { toServer: State; toClient: State };

/** A network of the test's own between clients and a server. It does not keep this process alive. */
export class TcpProxy implements Line, AsyncDisposable {
  readonly host = host;
  readonly port: number;
  readonly url: string;
  readonly #target: number;
  readonly #open = new Set<ProxyConnection>();
  readonly #states: States = {
    toServer: { shape: {}, mode: 'pass' },
    toClient: { shape: {}, mode: 'pass' },
  };
  #server: Server | undefined;
  #accepted = 0;

  constructor(port: number, target: { port: number; url?: string }) {
    this.port = port;
    this.url = `${target.url?.startsWith('rediss:') ? 'rediss' : 'redis'}://${host}:${port}`;
    this.#target = target.port;
  }

  /** The connections that clients have open, the oldest first. */
  get connections(): readonly ProxyConnection[] {
    return [...this.#open].filter(({ isOpen }) => isOpen);
  }

  /** How many connections there have been. */
  get accepted(): number {
    return this.#accepted;
  }

  shape(shape: Shape, direction: Direction = 'both'): void {
    for (const state of pick(this.#states, direction)) state.shape = shape;
    for (const connection of this.#open) connection.shape(shape, direction);
  }

  hold(direction: Direction = 'both'): void {
    for (const state of pick(this.#states, direction)) state.mode = 'hold';
    for (const connection of this.#open) connection.hold(direction);
  }

  swallow(direction: Direction = 'both'): void {
    for (const state of pick(this.#states, direction)) state.mode = 'swallow';
    for (const connection of this.#open) connection.swallow(direction);
  }

  cut(options?: { reset?: boolean }): void {
    for (const connection of this.#open) connection.cut(options);
  }

  /** Refuses new connections, as a machine does on which nothing listens, until `resume`. Open ones stay. */
  refuse(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  /** Undoes `hold`, `swallow` and `refuse`, not `shape`. */
  async resume(): Promise<void> {
    for (const state of pick(this.#states, 'both')) state.mode = 'pass';
    for (const connection of this.#open) connection.resume();
    if (this.#server) return;
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#accept(socket);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, host, resolve);
    });
    this.#server = server.unref();
  }

  /** Ends every connection, and listens no more. */
  async stop(): Promise<void> {
    const server = this.#server;
    const closed = server && new Promise((resolve) => server.once('close', resolve));
    this.refuse();
    this.cut();
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #accept(client: Socket): void {
    this.#accepted += 1;
    const server = connect({ host, port: this.#target, allowHalfOpen: true, noDelay: true });
    const connection = new ProxyConnection(client, server, this.#states);
    this.#open.add(connection);
    void connection.closed.then(() => this.#open.delete(connection));
  }
}

/** One connection through a proxy. */
export class ProxyConnection implements Line {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #flows: { toServer: ProxyFlow; toClient: ProxyFlow };
  #heard = '';
  #answered = 0;
  /** Resolves when both sides are gone; one may be long before the other, which has not heard of it. */
  readonly closed: Promise<unknown>;

  constructor(client: Socket, server: Socket, states: States) {
    this.#client = client.unref();
    this.#server = server.unref();
    this.closed = Promise.all(
      [client, server].map((socket) => new Promise((resolve) => socket.once('close', resolve))),
    );
    client.on('data', (bytes) => {
      if (this.#heard.length < heardLimit) this.#heard += bytes.toString('latin1');
    });
    server.on('data', (bytes) => {
      this.#answered += bytes.length;
    });
    this.#flows = {
      toServer: new ProxyFlow(client, server, states.toServer),
      toClient: new ProxyFlow(server, client, states.toClient),
    };
  }

  /** Whether the client still has it open. */
  get isOpen(): boolean {
    return !this.#client.destroyed;
  }

  /** Whether the client has said this, near the beginning: `'SUBSCRIBE'` tells a subscriber from the others. */
  heard(text: string): boolean {
    return this.#heard.toLowerCase().includes(text.toLowerCase());
  }

  /** How many bytes the server has sent, whether the client has got them or not. */
  get answered(): number {
    return this.#answered;
  }

  shape(shape: Shape, direction: Direction = 'both'): void {
    for (const flow of pick(this.#flows, direction)) flow.shape = shape;
  }

  hold(direction: Direction = 'both'): void {
    for (const flow of pick(this.#flows, direction)) flow.mode = 'hold';
  }

  swallow(direction: Direction = 'both'): void {
    for (const flow of pick(this.#flows, direction)) flow.mode = 'swallow';
  }

  resume(): void {
    const flows = pick(this.#flows, 'both');
    if (flows.some(({ hasLost }) => hasLost)) this.cut();
    else for (const flow of flows) flow.mode = 'pass';
  }

  cut({ reset = false }: { reset?: boolean } = {}): void {
    for (const flow of pick(this.#flows, 'both')) flow.mode = 'swallow';
    for (const socket of [this.#client, this.#server]) {
      if (reset) socket.resetAndDestroy();
      else socket.destroy();
    }
  }
}

const heardLimit = 64 * 1024;

function pick<T>(both: { toServer: T; toClient: T }, direction: Direction): T[] {
  return direction === 'both' ? [both.toServer, both.toClient] : [both[direction]];
}

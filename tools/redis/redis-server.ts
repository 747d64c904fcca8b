import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from './certificates.js';
import { freePort, host } from './free-port.js';
import { GuardedProcess } from './guarded-process.js';
import { redisBinary } from './redis-binary.js';
import { ask, decode, type Address, type Argument, type Reply } from './resp.js';
import { until } from './until.js';

export interface RedisOptions {
  /** More arguments, which win over the harness's: `['--maxmemory', '1mb']`, `['--appendonly', 'yes']`. */
  readonly args?: readonly string[];
  /**
   * ACL rules, one user each: `'app on >secret ~app:* -@all +get'`. The `default` user may do everything unless it is
   * named here. `command` always has a user of its own.
   */
  readonly users?: readonly string[];
  /** Speaks TLS only, with a certificate made for it; `redis.tls` is what clients need. @defaultValue `false` */
  readonly tls?: boolean;
  /** Follows another server; the start then includes the first synchronisation. */
  readonly replicaOf?: RedisServer;
  /** @defaultValue a free one */
  readonly port?: number;
}

/**
 * Starts a server of one's own on 127.0.0.1, which stores nothing on disk and lives no longer than this process.
 * @throws when it does not come up, with what it said
 */
export function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const { args = [], users, tls, replicaOf, port } = options;
  const certificates = tls ? makeCertificates() : undefined;
  const password = randomBytes(16).toString('hex');
  return RedisServer.launch({
    port,
    tls: certificates && { ca: certificates.ca },
    user: users && { name: 'harness', password },
    files: {
      ...(users && { 'users.acl': acl([`harness on >${password} ~* &* +@all`, ...users]) }),
      ...(certificates && { 'cert.pem': certificates.cert, 'key.pem': certificates.key }),
    },
    args: (own) => [
      ...dataArguments,
      ...(certificates
        ? ['--port', '0', '--tls-port', String(own), '--tls-auth-clients', 'no']
        : ['--port', String(own)]),
      ...(certificates ? ['--tls-cert-file', 'cert.pem', '--tls-key-file', 'key.pem'] : []),
      ...(certificates ? ['--tls-ca-cert-file', 'cert.pem'] : []),
      ...(users ? ['--aclfile', 'users.acl'] : []),
      ...(replicaOf ? ['--replicaof', host, String(replicaOf.port)] : []),
      ...args,
    ],
    ready: replicaOf && ((server) => untilFollowing(server, replicaOf)),
  });
}

/** Whether a server is a replica of another and has what that has. */
export async function isFollowing(replica: RedisServer, primary: RedisServer): Promise<boolean> {
  const about = await replica.info('replication');
  return about.master_link_status === 'up' && about.master_port === String(primary.port);
}

export async function untilFollowing(replica: RedisServer, primary: RedisServer): Promise<void> {
  const what = 'the replica to be in step with its primary';
  await until(what, () => isFollowing(replica, primary));
}

const acl = (users: readonly string[]): string => users.map((rule) => `user ${rule}\n`).join('');

/** What every server with data has in common; a later argument wins over an earlier one. */
export const dataArguments = [
  ...['--save', '', '--appendonly', 'no'],
  // A replica is served at once, not after five seconds in which others might come.
  ...['--repl-diskless-sync-delay', '0'],
  ...['--enable-debug-command', 'local'],
];

/** How to run one server; startSentinel and startCluster have their own ways. */
export interface Launch {
  readonly port?: number | undefined;
  readonly tls?: Address['tls'];
  readonly user?: Address['user'];
  /** By name, in the server's working directory. */
  readonly files?: Readonly<Record<string, string>>;
  /** Asked again with another port where the first was taken meanwhile. */
  readonly args: (port: number) => readonly string[] | Promise<readonly string[]>;
  /** What must be true before a start or restart counts as done. */
  readonly ready?: ((server: RedisServer) => Promise<unknown>) | undefined;
}

/** A server process of the test's own. */
export class RedisServer implements AsyncDisposable {
  readonly host = host;
  readonly port: number;
  /** `redis://127.0.0.1:port`, or `rediss://…` for one that speaks TLS; without a user. */
  readonly url: string;
  /** What a client needs to trust this server, as ioredis and `tls.connect` take it; only with the `tls` option. */
  readonly tls: { readonly ca: string } | undefined;
  readonly #run: () => GuardedProcess;
  readonly #launch: Launch;
  #process: GuardedProcess;
  #isFrozen = false;
  #hasStopped = false;

  private constructor(port: number, run: () => GuardedProcess, launch: Launch) {
    this.port = port;
    this.tls = launch.tls;
    this.url = `${launch.tls ? 'rediss' : 'redis'}://${host}:${port}`;
    this.#run = run;
    this.#launch = launch;
    this.#process = run();
  }

  /** Starts a server of any kind. */
  static async launch(launch: Launch): Promise<RedisServer> {
    const { path } = await redisBinary();
    for (let attempt = 1; ; attempt++) {
      const port = launch.port ?? (await freePort());
      const own = await launch.args(port);
      const folder = await mkdtemp(join(tmpdir(), 'acache-redis-'));
      for (const [name, text] of Object.entries(launch.files ?? {})) {
        await writeFile(join(folder, name), text, { mode: 0o600 });
      }
      const args = [...own, '--bind', host, '--dir', folder];
      const server = new RedisServer(port, () => new GuardedProcess(path, args, folder), launch);
      try {
        await server.#untilReady();
        return server;
      } catch (error) {
        await server.stop();
        // Between asking for a free port and listening on it another process may have taken it.
        const isTaken = server.log.includes('Address already in use');
        if (!isTaken || launch.port !== undefined || attempt === 5) throw error;
      }
    }
  }

  /** What the server has printed lately. */
  get log(): string {
    return this.#process.log;
  }

  /** @throws when it is killed */
  get pid(): number {
    return this.#process.pid;
  }

  /** Whether it is neither killed nor frozen. */
  get isRunning(): boolean {
    return this.#process.isRunning && !this.#isFrozen;
  }

  /** Sends a command as a user who may do everything, on a connection of its own. @throws what the server refuses with */
  async command<T = Reply>(...command: readonly [string, ...Argument[]]): Promise<T> {
    return decode(await ask(this.#address, command)) as T;
  }

  /** The same with texts as bytes. */
  async commandBuffer<T = Reply<Buffer>>(...command: readonly [string, ...Argument[]]): Promise<T> {
    return (await ask(this.#address, command)) as T;
  }

  /** The fields of a section of `INFO`: `(await redis.info('stats')).evicted_keys`. */
  async info(section: string): Promise<Partial<Record<string, string>>> {
    const text = await this.command<string>('INFO', section);
    const fields = text.matchAll(/^(\w+):(.*)\r$/gm);
    return Object.fromEntries<string>(
      [...fields].map(([, name = '', value = '']) => [name, value] as const),
    );
  }

  /** Ends the process at once, as a crash does, and waits until it is gone. */
  kill(): Promise<void> {
    return this.#process.kill();
  }

  /**
   * Stops the process as SIGSTOP does: its connections stay, new ones are accepted by the system, nothing answers.
   * Resolves when it has stopped.
   */
  async freeze(): Promise<void> {
    const { pid } = this.#process;
    process.kill(pid, 'SIGSTOP');
    this.#isFrozen = true;
    if (process.platform === 'linux') {
      await until('the server to stop', () =>
        readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') T '),
      );
    }
  }

  /** Lets a frozen process go on. */
  thaw(): void {
    process.kill(this.#process.pid, 'SIGCONT');
    this.#isFrozen = false;
  }

  /**
   * Ends the process, if it still runs, and starts it again with the same port and arguments. It comes back empty,
   * unless its arguments make it store: `--appendonly yes`.
   */
  async restart(): Promise<void> {
    if (this.#hasStopped) throw new Error('the server was stopped for good');
    await this.#process.release({ keepFolder: true });
    this.#process = this.#run();
    this.#isFrozen = false;
    await this.#untilReady();
  }

  /** Ends the process for good, and removes its folder. */
  async stop(): Promise<void> {
    if (this.#hasStopped) return;
    this.#hasStopped = true;
    await this.#process.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  get #address(): Address {
    const { tls, user } = this.#launch;
    return { port: this.port, tls, user };
  }

  async #untilReady(): Promise<void> {
    // By its own word: that something listens on the port does not prove that it is this process.
    await this.#process.says(/Ready to accept connections|Sentinel ID is/);
    await this.#launch.ready?.(this);
  }
}

import { Redis } from 'ioredis';

/** What tools/redis starts, as far as the demo needs it. */
interface OwnServer extends AsyncDisposable {
  readonly url: string;
  freeze(): Promise<void>;
  kill(): Promise<void>;
  restart(): Promise<void>;
}

/** By its address: what the demo is compiled from ends at its folder. */
const harness = new URL('../../../tools/redis/harness.mjs', import.meta.url).href;

/** A Redis that was killed comes back with what it had: the harder case, since that is out of date by then. */
const comesBack = { args: ['--appendonly', 'yes', '--appendfsync', 'always'] };

/** The Redis that both services share: the one that REDIS_URL names, or one of the demo's own. */
export class SharedRedis implements AsyncDisposable {
  readonly url: string;
  /** What the services' keys begin with: a Redis that is not ours may hold others. */
  readonly prefix = `two-services-${process.pid}`;
  /** Only this one may be frozen and killed. */
  readonly own: OwnServer | undefined;

  private constructor(url: string, own?: OwnServer) {
    this.url = url;
    this.own = own;
  }

  /** @throws when there is no Redis, with what to do about it */
  static async open(given = process.env.REDIS_URL): Promise<SharedRedis> {
    if (given !== undefined && given !== '') {
      const redis = new SharedRedis(given);
      await redis.#connected((client) => client.ping());
      return redis;
    }
    const { startRedis } = (await import(harness)) as {
      startRedis: (options: object) => Promise<OwnServer>;
    };
    const own = await startRedis(comesBack);
    return new SharedRedis(own.url, own);
  }

  /** The commands about the services' keys that Redis gets while something goes on. */
  commandsDuring(action: () => Promise<void>): Promise<string[]> {
    return this.#connected(async (client) => {
      const commands: string[] = [];
      const monitor = await client.monitor();
      let seen = (_: string): void => undefined;
      monitor.on('monitor', (_time: string, command: string[]) => {
        const text = command.join(' ');
        if (text.includes(`${this.prefix}:`)) commands.push(text);
        seen(text);
      });
      try {
        await action();
        // What Redis got before this one, the monitor has told by then.
        const end = `end of the watch of ${this.prefix}`;
        const told = new Promise<void>((resolve) => {
          seen = (text) => {
            if (text.endsWith(end)) resolve();
          };
        });
        await client.echo(end);
        await told;
        return commands;
      } finally {
        monitor.disconnect();
      }
    });
  }

  /** What somebody does with `redis-cli --scan` and `DEL`; returns how many keys that were. */
  deleteByHand(id: string): Promise<number> {
    return this.#connected((client) => this.#delete(client, `${this.prefix}:v:*:${id}}`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.own) await this.own[Symbol.asyncDispose]();
    else await this.#connected((client) => this.#delete(client, `${this.prefix}:*`));
  }

  async #delete(client: Redis, pattern: string): Promise<number> {
    let deleted = 0;
    for await (const keys of client.scanStream({ match: pattern, count: 1000 })) {
      for (const key of keys as string[]) deleted += await client.del(key);
    }
    return deleted;
  }

  async #connected<T>(action: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(this.url, { lazyConnect: true, retryStrategy: () => null });
    let reason: unknown;
    client.on('error', (error) => (reason = error));
    try {
      await client.connect();
      return await action(client);
    } catch (error) {
      throw reason ?? error;
    } finally {
      client.disconnect();
    }
  }
}

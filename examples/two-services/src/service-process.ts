import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CacheMetrics } from '@acache/core';
import type { RedisTierMetrics } from '@acache/redis-tier';
import type { Product } from './database.js';
import { sendJson } from './send-json.js';

const program = fileURLToPath(new URL('service.js', import.meta.url));
/** Lets a service end with the demo, however that ends. */
const endWithDemo = `process.on('disconnect', () => process.exit()).channel.unref();`;

export interface ServiceMetrics {
  readonly cache: CacheMetrics;
  readonly tier: RedisTierMetrics;
}

/** One of the two services: a process of its own, asked over HTTP. */
export class ServiceProcess implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #url: string;

  private constructor(process: ChildProcess, url: string) {
    this.#process = process;
    this.#url = url;
  }

  /** Starts a service, and waits until it listens. */
  static async start(env: NodeJS.ProcessEnv): Promise<ServiceProcess> {
    const child = fork(program, {
      env: { ...process.env, PORT: '0', ...env },
      execArgv: ['--import', `data:text/javascript,${endWithDemo}`],
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    // The first thing that it prints says where it listens.
    const output = child.stdout as NonNullable<typeof child.stdout>;
    for await (const line of output.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      const url = /http:\S+/.exec(line as string)?.[0];
      if (url !== undefined) return new ServiceProcess(child, url);
    }
    throw new Error('a service ended before it listened');
  }

  product(id: string): Promise<Product> {
    return sendJson('GET', `${this.#url}/products/${id}`);
  }

  setPrice(id: string, price: number): Promise<void> {
    return sendJson('PUT', `${this.#url}/products/${id}`, price);
  }

  startSale(category: string, percent: number): Promise<void> {
    return sendJson('POST', `${this.#url}/sales/${category}`, percent);
  }

  metrics(): Promise<ServiceMetrics> {
    return sendJson('GET', `${this.#url}/metrics`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null) return;
    this.#process.kill('SIGTERM');
    await once(this.#process, 'exit');
  }
}

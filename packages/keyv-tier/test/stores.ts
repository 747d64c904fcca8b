import { EventEmitter } from 'node:events';
import type { KeyvStoreLike } from '../src/index.js';
import { deferred, type Deferred } from '../../../tools/testing/deferred.js';

export { deferred, settle } from '../../../tools/testing/deferred.js';
export type { Deferred } from '../../../tools/testing/deferred.js';

/** What ails a store. `swallows`: it tells of its errors by an event, and answers as if nothing were there. */
export type Illness = 'fails' | 'hangs' | 'swallows' | 'refuses writes';

/** A store whose health is the test's, and that notes what it is asked. */
export class PatientStore extends EventEmitter implements KeyvStoreLike {
  readonly held = new Map<string, unknown>();
  readonly asked: string[] = [];
  illness: Illness | undefined;
  /** Calls that hang, to be let through. */
  readonly hanging: Deferred<void>[] = [];

  async get(key: string): Promise<unknown> {
    return this.#call('get', key, () => this.held.get(key));
  }

  async getMany(keys: string[]): Promise<unknown[]> {
    const found = await this.#call('getMany', keys.join(' '), () =>
      keys.map((key) => this.held.get(key)),
    );
    return (found as unknown[] | undefined) ?? keys.map(() => undefined);
  }

  async set(key: string, value: string): Promise<unknown> {
    return this.#call('set', key, () => void this.held.set(key, value));
  }

  async delete(key: string): Promise<unknown> {
    return this.#call('delete', key, () => this.held.delete(key));
  }

  async clear(): Promise<void> {
    await this.#call('clear', '', () => {
      this.held.clear();
    });
  }

  /** Lets what hangs take effect now. */
  release(): void {
    for (const gate of this.hanging.splice(0)) gate.resolve();
  }

  async #call(what: string, of: string, act: () => unknown): Promise<unknown> {
    this.asked.push(`${what} ${of}`);
    const isWrite = what === 'set' || what === 'delete';
    switch (this.illness) {
      case 'fails':
        throw new Error('out of order');
      case 'refuses writes':
        if (isWrite) throw new Error('read-only');
        break;
      case 'swallows':
        this.emit('error', new Error('swallowed'));
        return undefined;
      case 'hangs': {
        const gate = deferred<void>();
        this.hanging.push(gate);
        await gate.promise;
        break;
      }
      case undefined:
        break;
    }
    return act();
  }
}

/** A store each of whose calls takes effect when the test says so, in an order that the test chooses. */
export class ShuffledStore implements KeyvStoreLike {
  readonly held = new Map<string, string>();
  readonly #waiting: (() => void)[] = [];

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Lets one of the calls that wait take effect and be answered. */
  step(which: number): void {
    this.#waiting.splice(which % this.#waiting.length, 1)[0]?.();
  }

  get(key: string): Promise<unknown> {
    return this.#later(() => this.held.get(key));
  }

  set(key: string, value: string): Promise<unknown> {
    return this.#later(() => void this.held.set(key, value));
  }

  delete(key: string): Promise<unknown> {
    return this.#later(() => this.held.delete(key));
  }

  #later(act: () => unknown): Promise<unknown> {
    return new Promise((resolve) => {
      this.#waiting.push(() => {
        resolve(act());
      });
    });
  }
}

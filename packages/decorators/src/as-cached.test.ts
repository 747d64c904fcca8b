import { AsyncCache } from '@acache/core';
import { failOnUnhandledRejections } from '../test/unhandled.js';
import { asCached, cached } from './index.js';

failOnUnhandledRejections();

const LOOKUP = Symbol('lookup');

class Service {
  calls = 0;

  @cached()
  async find(id: number): Promise<string> {
    return `${id}:${++this.calls}`;
  }

  @cached()
  async [LOOKUP](id: number): Promise<string> {
    return `${id}:${++this.calls}`;
  }

  async plain(): Promise<void> {}
  readonly text = 'text';
}

describe('asCached', () => {
  it('gives the method that the instance has', async () => {
    const service = new Service();
    const find = asCached(service, 'find');

    expect(find).toBe(service.find);
    expect(await find(1)).toBe('1:1');
    expect(await find.refresh(1)).toBe('1:2');
    expect(await service.find(1)).toBe('1:2');
    expect(asCached(service, LOOKUP)).toBe(service[LOOKUP]);
  });

  it('gives the method itself where it is known already', () => {
    const service = new Service();

    expect(asCached(service.find)).toBe(service.find);
  });

  it('gives the method of an instance by that of the prototype', async () => {
    const service = new Service();

    expect(asCached(Service.prototype.find, service)).toBe(service.find);
    expect(asCached(Service.prototype.find, service).getMetrics().size).toBe(0);
  });

  it('gives a function that was wrapped, whatever the instance', async () => {
    const fn = cached(async () => 1);

    expect(asCached(fn)).toBe(fn);
    expect(asCached(fn, {})).toBe(fn);
    expect(asCached({ fn }, 'fn')).toBe(fn);
  });

  it('knows one that is on a cache that is given', () => {
    const fn = cached(async () => 1, { cache: new AsyncCache(), name: 'fn' });

    expect(asCached(fn).getMetrics().hits).toBe(0);
  });

  it.each<[what: string, ask: () => unknown, got: string]>([
    ['a plain method', () => asCached(new Service(), 'plain'), 'function plain'],
    ['what is no method', () => asCached(new Service(), 'text'), "'text'"],
    ['what is not there', () => asCached(new Service(), 'toFixed' as never), 'undefined'],
    ['a plain function', () => asCached(async () => 1), 'a function'],
    ['nothing', () => asCached(undefined as never), 'undefined'],
  ])('refuses %s', (_what, ask, got) => {
    let error: unknown;
    try {
      ask();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({
      code: 'ERR_ACACHE_INVALID_OPTION',
      message: `asCached takes a cached function, got ${got}`,
    });
  });
});

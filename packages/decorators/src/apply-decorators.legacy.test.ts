import 'reflect-metadata';
import { applyDecorators, Get, SetMetadata } from '@nestjs/common';
import { asCached, cached, invalidates } from './index.js';

describe('decorators composed by applyDecorators of Nest, which drops what they return', () => {
  const CachedGet = (path: string) => applyDecorators(Get(path), cached({ ttl: '1m' }));
  const GetCached = (path: string) => applyDecorators(cached({ ttl: '1m' }), Get(path));

  class Prices {
    static statics = 0;
    loads = 0;
    @CachedGet('above')
    async above(name: string): Promise<number> {
      return name.length + this.loads++;
    }
    @GetCached('below')
    async below(name: string): Promise<number> {
      return name.length + this.loads++;
    }
    @applyDecorators(cached())
    async alone(): Promise<number> {
      return ++this.loads;
    }
    @applyDecorators(cached())
    static async ofClass(): Promise<number> {
      return ++Prices.statics;
    }
    @cached({ tags: () => ['composed'] })
    async read(): Promise<number> {
      return ++this.loads;
    }
    @applyDecorators(SetMetadata('roles', ['admin']), invalidates({ tags: ['composed'] }))
    async write(): Promise<void> {}
  }

  it('cache, with the route above or below', async () => {
    const prices = new Prices();
    expect(await prices.above('fig')).toBe(await prices.above('fig'));
    expect(await prices.below('fig')).toBe(await prices.below('fig'));
    expect(asCached(prices, 'above').getMetrics().hits).toBe(1);
  });

  it('keep the metadata of the route', () => {
    const prices = new Prices();
    expect(Reflect.getMetadata('path', prices.above)).toBe('above');
    expect(Reflect.getMetadata('path', prices.below)).toBe('below');
  });

  it('cache alone, and on static methods', async () => {
    const prices = new Prices();
    expect([await prices.alone(), await prices.alone()]).toEqual([1, 1]);
    expect([await Prices.ofClass(), await Prices.ofClass()]).toEqual([1, 1]);
  });

  it('invalidate', async () => {
    const prices = new Prices();
    const before = await prices.read();
    await prices.write();
    expect(await prices.read()).not.toBe(before);
  });
});

import { freshTag } from '../test/invalidation-cases.js';
import { failOnUnhandledRejections } from '../test/unhandled.js';
import * as here from './index.js';

failOnUnhandledRejections();

/** Another copy of this package, as that for `require` is beside that for `import`. */
async function anotherCopy(): Promise<typeof here> {
  let copy: typeof here | undefined;
  await jest.isolateModulesAsync(async () => {
    copy = await import('./index.js');
  });
  return copy!;
}

describe('two copies of the package in one process', () => {
  it('are two', async () => {
    expect((await anotherCopy()).cached).not.toBe(here.cached);
  });

  it('reach each other`s caches', async () => {
    const there = await anotherCopy();
    const tag = freshTag();
    let calls = 0;
    const tagged = here.cached(async () => ++calls, { tags: () => [tag] });
    const keyed = there.cached(async () => ++calls, { key: () => tag });
    await tagged();
    await keyed();
    await there.invalidates({ tags: [tag] })(async () => undefined)();
    await here.invalidates({ keys: [tag] })(async () => undefined)();

    expect([await tagged(), await keyed()]).toEqual([3, 4]);
  });

  it('know each other`s methods', async () => {
    const there = await anotherCopy();
    class Service {
      calls = 0;
      @there.cached()
      async find(id: number): Promise<string> {
        return `${id}:${++this.calls}`;
      }
      @there.cached()
      async #secret(id: number): Promise<string> {
        return `${id}:${++this.calls}`;
      }
      refreshSecret(id: number) {
        return here.asCached(this.#secret, this).refresh(id);
      }
    }
    const [a, b] = [new Service(), new Service()];
    await a.find(1);

    expect(await here.asCached(a, 'find').refresh(1)).toBe('1:2');
    expect(await here.asCached(Service.prototype.find, b).refresh(1)).toBe('1:1');
    expect(await a.refreshSecret(1)).toBe('1:3');
  });
});

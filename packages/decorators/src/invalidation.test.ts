import { failOnUnhandledRejections } from '../test/unhandled.js';
import { invalidates } from './index.js';

failOnUnhandledRejections();

describe('invalidates in a process without a cached function', () => {
  it('lets the write run', async () => {
    const write = invalidates({ tags: ['t'], keys: ['k'] })(async () => 'written');

    expect(await write()).toBe('written');
  });

  it.each([
    ['a number', [5]],
    ['an empty text', ['']],
  ])('rejects before the write all the same when a tag is %s', async (_what, tags) => {
    const save = jest.fn(async () => 'written');
    const write = invalidates({ tags: () => tags as string[] })(save);

    await expect(write()).rejects.toThrow('tags must hold texts that are not empty');
    expect(save).not.toHaveBeenCalled();
  });

  it('rejects before the write all the same when a key is a function', async () => {
    const save = jest.fn(async () => 'written');
    const write = invalidates({ keys: () => [() => 1] })(save);

    await expect(write()).rejects.toMatchObject({ code: 'ERR_ACACHE_UNKEYABLE' });
    expect(save).not.toHaveBeenCalled();
  });
});

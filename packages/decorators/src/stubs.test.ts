import { asCached, cached } from './index.js';

const makeUsers = () =>
  class Users {
    queries = 0;
    @cached()
    async find(id: number): Promise<number> {
      this.queries++;
      return id;
    }
    @cached()
    static async count(): Promise<number> {
      return 1;
    }
  };

describe('a cached method in the tests of its users', () => {
  afterEach(() => jest.restoreAllMocks());

  it('is stubbed by jest.spyOn on an instance, and restored', async () => {
    const users = new (makeUsers())();
    jest.spyOn(users, 'find').mockResolvedValue(42);
    expect(await users.find(1)).toBe(42);

    jest.restoreAllMocks();
    expect(await users.find(1)).toBe(1);
  });

  it('is stubbed by jest.spyOn on the prototype before there is an instance', async () => {
    const Users = makeUsers();
    jest.spyOn(Users.prototype, 'find').mockResolvedValue(42);
    expect(await new Users().find(1)).toBe(42);

    jest.restoreAllMocks();
    expect(await new Users().find(1)).toBe(1);
  });

  it('calls through a spy and still caches', async () => {
    const users = new (makeUsers())();
    const spy = jest.spyOn(users, 'find');
    await users.find(1);
    await users.find(1);
    expect(spy).toHaveBeenCalledTimes(2);
    expect(users.queries).toBe(1);
  });

  it('can be read from its descriptor without an instance', async () => {
    const users = new (makeUsers())();
    const { get } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(users), 'find')!;
    // As tinyspy, which is in vitest, reads it.
    expect(() => get?.call(undefined) as unknown).not.toThrow();
  });

  it('is replaced by assignment, and found again once that is deleted', async () => {
    const users = new (makeUsers())();
    users.find = async () => 42;
    expect(await users.find(1)).toBe(42);

    delete (users as { find?: unknown }).find;
    expect(await users.find(1)).toBe(1);
    expect(asCached(users, 'find').getMetrics().loads).toBe(1);
  });
});

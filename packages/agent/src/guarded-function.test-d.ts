import { AsyncCache } from '@acache/core';
import { is, type, use, type Order, type User } from '../test/type-assertions.js';
import {
  AgentCache,
  AgentCacheInvalidator,
  AgentCacheSession,
  AgentLoopDetectedError,
  createAgentCache,
  getAgentMetrics,
} from './index.js';
import type { AgentMetrics, GuardedTool, LoopInfo, ToolPolicy } from './index.js';

declare function findUser(id: number, full?: boolean): Promise<User>;
declare function syncUser(id: number): User;
declare function maybeAsync(id: number): User | Promise<User>;
declare function thenable(id: number): PromiseLike<User>;
declare function list(kind: 'ids'): Promise<number[]>;
declare function list(kind: 'names', limit: number): Promise<string[]>;
declare function identity<T>(value: T): Promise<T>;
declare function find(this: { readonly table: string }, id: number): Promise<User>;
declare function pages(name: string): AsyncGenerator<Order>;
declare const anything: (...args: any[]) => any;

const runtime = createAgentCache({ cache: new AsyncCache<string, User>() });
runtime satisfies ReturnType<typeof createAgentCache>;

// Every form gives the same: an async function stays what it is, overloads and generics included.
{
  is<typeof findUser>()(AgentCache({ name: 'x' })(findUser));
  is<typeof findUser>()(AgentCache()(findUser));
  is<typeof findUser>()(AgentCacheInvalidator({ resource: 'user:{0}' })(findUser));
  is<typeof findUser>()(runtime.read({}, findUser));
  is<typeof findUser>()(runtime.mutate({}, findUser));
  is<typeof findUser>()(runtime.guard({}, findUser));
  is<typeof findUser>()(runtime.read()(findUser));
  is<typeof thenable>()(AgentCache()(thenable));
  is<typeof find>()(AgentCache()(find));
  is<typeof pages>()(AgentCache()(pages));
  is<Promise<string[]>>()(AgentCache()(list)('names', 1));
  is<Promise<User>>()(AgentCache()(identity)(type<User>()));
}

// A sync function promises its result.
{
  is<Promise<User>>()(AgentCache()(syncUser)(1));
  is<Promise<User>>()(AgentCache()(maybeAsync)(1));
  is<Promise<any>>()(AgentCache()(anything)());
  // @ts-expect-error an argument of another type
  void AgentCache()(syncUser)('1');
}

// Options.
{
  // @ts-expect-error an invalidator has to say what
  AgentCacheInvalidator();
  // @ts-expect-error no such scope
  AgentCache({ scope: 'all' });
  // @ts-expect-error no duration
  AgentCache({ ttl: '5 minutes' });
  // @ts-expect-error no such option
  AgentCache({ resources: 'cart' });
  AgentCache({ resource: ['cart:{userId}', 'user'], loop: { poll: true }, ttl: '5m', tags: ['t'] });
  AgentCache({ resource: (a: User) => `user:${a.id}`, loop: false, version: 2 });
  const policy: ToolPolicy = {
    key: (a: User) => a.id,
    shouldCache: (result: User) => result.id > 0,
  };
  use(policy);
  // @ts-expect-error no such action
  new AgentCacheSession({ onLoop: 'stop' });
  new AgentCacheSession({ onLoop: (loop) => (loop.kind === 'cycle' ? 'allow' : 'steer') });
  // @ts-expect-error a runtime's session is its own
  runtime.session({ runtime });
}

// Methods, of both kinds of decorators by the compiler's options; here TC39.
export class Shop {
  @AgentCache({ resource: 'cart:{0}' })
  async cart(user: string): Promise<Order> {
    use(user);
    return type<Order>();
  }
  @AgentCacheInvalidator({ resource: 'cart:{0}' })
  async clear(user: string): Promise<void> {
    use(user);
  }
  @AgentCache()
  async *orders(): AsyncGenerator<Order> {
    yield type<Order>();
  }
  @AgentCache()
  static async open(this: typeof Shop): Promise<Shop> {
    return type<Shop>();
  }
  // @ts-expect-error a decorator cannot make it async
  @AgentCache()
  now(): number {
    return 1;
  }
}
is<Promise<Order>>()(type<Shop>().cart('u'));

// Sessions.
{
  const session = new AgentCacheSession({ id: 'x' });
  is<Promise<number>>()(session.run(async () => 1));
  is<Promise<number>>()(session.run(() => 1));
  is<Promise<string>>()(AgentCacheSession.run({}, (own) => own.id));
  is<typeof findUser>()(session.bind(findUser));
  is<AbortSignal>()(session.signal);
  is<AgentLoopDetectedError | undefined>()(session.halted);
  is<AgentMetrics>()(session.getMetrics());
  is<AgentMetrics>()(getAgentMetrics());
  is<number>()(getAgentMetrics().byTool.x?.hits ?? 0);
  const disposable: AsyncDisposable = session;
  use(disposable);
}

// Errors.
{
  const error = new AgentLoopDetectedError(type<LoopInfo>());
  error.code satisfies 'ERR_ACACHE_AGENT_LOOP';
  is<string[]>()(error.tools);
  is<'repeat' | 'cycle' | 'no-progress' | 'retry-storm' | 'depth'>()(error.kind);
}

// Adapters.
{
  const tool: GuardedTool = runtime.tool({ name: 'x', effect: 'read' });
  is<Promise<User>>()(tool.call([1], () => findUser(1)));
  is<Promise<User>>()(tool.call([1], ({ signal }) => (use(signal), syncUser(1))));
  is<AsyncGenerator<Order>>()(tool.stream([1], () => pages('x')));
}

// Events.
runtime.on('loop', ({ action, loop, sessionId, tool }) => {
  is<string>()(tool);
  is<string | undefined>()(sessionId);
  is<LoopInfo>()(loop);
  use(action);
});
// @ts-expect-error no such event
runtime.on('loops', () => undefined);

import { is, type, use, type Order } from '../test/type-assertions.js';
import { AgentCache, AgentCacheInvalidator } from './index.js';

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

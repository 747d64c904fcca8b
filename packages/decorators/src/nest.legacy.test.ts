import 'reflect-metadata';
import {
  Controller,
  forwardRef,
  Get,
  Inject,
  Injectable,
  Module,
  Param,
  Post,
  Scope,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import {
  APP_GUARD,
  ContextIdFactory,
  DiscoveryModule,
  DiscoveryService,
  MetadataScanner,
  Reflector,
} from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { recordingAdapter } from '../test/nest-adapter.js';
import { failOnUnhandledRejections } from '../test/unhandled.js';
import { asCached, AsyncTTL, cached, invalidates } from './index.js';

failOnUnhandledRejections();

@Injectable()
class Database {
  readonly names = new Map([
    [1, 'Ada'],
    [2, 'Bob'],
  ]);
  queries = 0;

  async nameOf(id: number): Promise<string> {
    this.queries++;
    return this.names.get(id) ?? 'nobody';
  }
}

@Injectable()
class UsersService {
  // Injected by what the compiler emits of its type.
  constructor(private readonly database: Database) {}

  @AsyncTTL({ ttl: '1h', tags: (id: number) => [`nest user:${id}`] })
  async find(id: number): Promise<string> {
    return this.database.nameOf(id);
  }

  @invalidates({ tags: (id: number) => [`nest user:${id}`] })
  async rename(id: number, name: string): Promise<void> {
    this.database.names.set(id, name);
  }
}

@Injectable({ scope: Scope.REQUEST })
class RequestService {
  calls = 0;

  @cached()
  async find(id: number): Promise<string> {
    return `${id}:${++this.calls}`;
  }
}

const Roles = Reflector.createDecorator<string[]>();

@Injectable()
class RolesGuard implements CanActivate {
  static seen: unknown[] = [];
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    RolesGuard.seen.push([
      context.getHandler().name,
      this.reflector.get(Roles, context.getHandler()),
    ]);
    return true;
  }
}

@Controller('users')
class UsersController {
  calls: string[] = [];
  constructor(private readonly users: UsersService) {}

  @Get('above/:id')
  @Roles(['above'])
  @AsyncTTL()
  async above(@Param('id') id: string): Promise<string> {
    this.calls.push(`above ${id}`);
    return this.users.find(Number(id));
  }

  @AsyncTTL()
  @Roles(['below'])
  @Get('below/:id')
  async below(@Param('id') id: string): Promise<string> {
    this.calls.push(`below ${id}`);
    return this.users.find(Number(id));
  }

  @Post('above/:id/:name')
  @invalidates({ tags: ['nest names'] })
  async rename(@Param('id') id: string, @Param('name') name: string): Promise<void> {
    await this.users.rename(Number(id), name);
  }

  @AsyncTTL()
  async internal(): Promise<string> {
    return 'no route';
  }
}

@Controller({ path: 'requests', scope: Scope.REQUEST })
class RequestController {
  constructor(private readonly service: RequestService) {}

  @cached()
  @Get(':id')
  async find(@Param('id') id: string): Promise<string> {
    return this.service.find(Number(id));
  }
}

@Module({
  imports: [DiscoveryModule],
  controllers: [UsersController, RequestController],
  providers: [Database, UsersService, RequestService, { provide: APP_GUARD, useClass: RolesGuard }],
})
class UsersModule {}

const makeModule = () => Test.createTestingModule({ imports: [UsersModule] }).compile();

describe('a Nest provider', () => {
  it('is injected, cached and made invalid', async () => {
    const module = await makeModule();
    const users = module.get(UsersService);
    const database = module.get(Database);
    expect([await users.find(1), await users.find(1), await users.find(2)]).toEqual([
      'Ada',
      'Ada',
      'Bob',
    ]);
    expect(database.queries).toBe(2);
    await users.rename(1, 'Eve');

    expect([await users.find(1), await users.find(2)]).toEqual(['Eve', 'Bob']);
    expect(database.queries).toBe(3);
    await module.close();
  });

  it('has the controls of its methods', async () => {
    const module = await makeModule();
    const users = module.get(UsersService);
    const find = asCached(users, 'find');
    await users.find(1);
    module.get(Database).names.set(1, 'Eve');

    expect(await users.find(1)).toBe('Ada');
    expect(await find.refresh(1)).toBe('Eve');
    expect(await users.find(1)).toBe('Eve');
    expect(find.getMetrics()).toMatchObject({ hits: 2, loads: 2 });
    expect(await find.invalidateCache(1)).toBe(true);
    await find.clearCache();
    await module.close();
  });

  it('shares nothing with that of another module', async () => {
    const modules = [await makeModule(), await makeModule()];
    for (const module of modules) await module.get(UsersService).find(1);

    expect(modules.map((module) => module.get(Database).queries)).toEqual([1, 1]);
    for (const module of modules) await module.close();
  });

  it('of one request shares nothing with that of another', async () => {
    const module = await makeModule();
    const [first, second] = [ContextIdFactory.create(), ContextIdFactory.create()];
    const a = await module.resolve(RequestService, first);
    const again = await module.resolve(RequestService, first);
    const b = await module.resolve(RequestService, second);

    expect(again).toBe(a);
    expect([await a.find(1), await a.find(1), await a.find(2)]).toEqual(['1:1', '1:1', '2:2']);
    expect([await b.find(2), await b.find(1)]).toEqual(['2:1', '1:2']);
    expect(await asCached(b, 'find').refresh(1)).toBe('1:3');
    expect(await a.find(1)).toBe('1:1');
    await module.close();
  });

  it('may be mocked, overridden and spied upon', async () => {
    const module = await Test.createTestingModule({ imports: [UsersModule] })
      .overrideProvider(Database)
      .useValue({ nameOf: async () => 'mock' })
      .compile();
    const users = module.get(UsersService);
    expect(await users.find(1)).toBe('mock');
    const spy = jest.spyOn(users, 'find').mockResolvedValue('spy');
    expect(await module.get(UsersController).above('1')).toBe('spy');
    expect(spy).toHaveBeenCalledWith(1);
    await module.close();
  });

  it('may be part of a circle, for which Nest makes it in two steps', async () => {
    @Injectable()
    class Authors {
      calls = 0;
      constructor(@Inject(forwardRef(() => Books)) readonly books: object) {}
      @cached()
      async find(id: number): Promise<string> {
        return `${id}:${++this.calls}`;
      }
    }
    @Injectable()
    class Books {
      calls = 0;
      constructor(@Inject(forwardRef(() => Authors)) readonly authors: object) {}
      @cached()
      async find(id: number): Promise<string> {
        return `${id}:${++this.calls}`;
      }
    }
    const module = await Test.createTestingModule({ providers: [Authors, Books] }).compile();
    const [authors, books] = [module.get(Authors), module.get(Books)];

    expect([await authors.find(1), await authors.find(1), await books.find(1)]).toEqual([
      '1:1',
      '1:1',
      '1:1',
    ]);
    expect([authors.books, books.authors]).toEqual([books, authors]);
    expect(await asCached(authors, 'find').refresh(1)).toBe('1:2');
    await module.close();
  });
});

describe('a Nest controller', () => {
  it('has the handlers that Nest scans for, and no others', async () => {
    const module = await makeModule();
    const discovery = module.get(DiscoveryService);
    const scanner = module.get(MetadataScanner);
    const controller = discovery
      .getControllers()
      .find(({ metatype }) => metatype === UsersController)!;
    const names = scanner.getAllMethodNames(Object.getPrototypeOf(controller.instance) as object);

    expect(names.sort()).toEqual(['above', 'below', 'rename']);
    expect(
      discovery.getMetadataByDecorator(Roles as never, controller, 'above') as unknown,
    ).toEqual(['above']);
    await module.close();
  });

  it('has the same routes with the route above and below the decorator, and caches them', async () => {
    const module = await makeModule();
    const { adapter, request, routes } = recordingAdapter();
    const app = module.createNestApplication(adapter, { logger: false });
    await app.init();

    expect(routes().sort()).toEqual([
      'GET /requests/:id',
      'GET /users/above/:id',
      'GET /users/below/:id',
      'POST /users/above/:id/:name',
    ]);
    for (const where of ['above', 'below']) {
      const route = `GET /users/${where}/:id`;
      expect(await request(route, { id: '1' })).toBe('Ada');
      expect(await request(route, { id: '1' })).toBe('Ada');
      expect(await request(route, { id: '2' })).toBe('Bob');
    }
    const controller = app.get(UsersController);
    expect(controller.calls).toEqual(['above 1', 'above 2', 'below 1', 'below 2']);
    await request('POST /users/above/:id/:name', { id: '1', name: 'Eve' });
    expect(await asCached(controller, 'above').refresh('1')).toBe('Eve');
    expect(await request('GET /users/above/:id', { id: '1' })).toBe('Eve');
    await app.close();
  });

  it('shows guards the metadata of its handlers', async () => {
    RolesGuard.seen = [];
    const module = await makeModule();
    const { adapter, request } = recordingAdapter();
    const app = module.createNestApplication(adapter, { logger: false });
    await app.init();
    await request('GET /users/above/:id', { id: '1' });
    await request('GET /users/below/:id', { id: '1' });

    expect(RolesGuard.seen).toEqual([
      ['above', ['above']],
      ['below', ['below']],
    ]);
    await app.close();
  });

  it('of one request shares nothing with that of another', async () => {
    const module = await makeModule();
    const { adapter, request } = recordingAdapter();
    const app = module.createNestApplication(adapter, { logger: false });
    await app.init();

    expect(await request('GET /requests/:id', { id: '1' })).toBe('1:1');
    expect(await request('GET /requests/:id', { id: '2' })).toBe('2:1');
    await app.close();
  });
});

import { standInFor } from './stand-in.js';

class Cart {
  readonly name = 'cart';
  user = 'ann';
  readonly #suffix = '!';

  execute(): string {
    return `${this.user}'s cart${this.#suffix}`;
  }

  toModelOutput(text: string): string {
    return text + this.#suffix;
  }

  get description(): string {
    return `reads the cart of ${this.user}${this.#suffix}`;
  }

  static readonly version = 1;
}

class Invoked extends Cart {
  invoke(): string {
    return this.execute();
  }
}

function guard(tool: Cart) {
  return standInFor(tool, 'execute', () => `guarded: ${Cart.prototype.execute.call(tool)}`);
}

describe('what stands in for a tool of a class', () => {
  it('runs by the function it was given, and is the tool in all else, with its private state', () => {
    const standIn = guard(new Cart());
    expect(standIn.execute()).toBe("guarded: ann's cart!");
    expect(standIn.toModelOutput('text')).toBe('text!');
    expect(standIn.description).toBe('reads the cart of ann!');
    expect(standIn).toBeInstanceOf(Cart);
    expect((standIn.constructor as typeof Cart).version).toBe(1);
    const [first, again] = [0, 1].map(() => Reflect.get(standIn, 'toModelOutput') as unknown);
    expect(first).toBe(again);
  });

  it('has one state with it, whichever is changed', () => {
    const tool = new Cart();
    const standIn = guard(tool);
    standIn.user = 'bob';
    expect([tool.user, standIn.execute()]).toEqual(['bob', "guarded: bob's cart!"]);
    tool.user = 'eve';
    expect([standIn.user, standIn.execute()]).toEqual(['eve', "guarded: eve's cart!"]);
    Object.defineProperty(standIn, 'note', { value: 1, configurable: true, enumerable: true });
    expect(tool).toHaveProperty('note', 1);
    delete (standIn as { note?: number }).note;
    expect('note' in tool).toBe(false);
  });

  it('is read by its members as the tool is, and has its function as one of them', () => {
    const standIn = guard(new Cart());
    expect(Object.keys(standIn)).toEqual(['name', 'user', 'execute']);
    expect(Object.entries(standIn).slice(0, 2)).toEqual([
      ['name', 'cart'],
      ['user', 'ann'],
    ]);
    expect(Object.assign({}, standIn).execute()).toBe("guarded: ann's cart!");
    expect('execute' in standIn && 'description' in standIn).toBe(true);
    expect('other' in standIn).toBe(false);
    expect(JSON.parse(JSON.stringify(standIn))).toEqual({ name: 'cart', user: 'ann' });
  });

  it('leaves the tool as it is, also when its function is replaced', () => {
    const tool = new Cart();
    const standIn = guard(tool);
    expect(tool.execute()).toBe("ann's cart!");
    standIn.execute = () => 'mocked';
    expect([standIn.execute(), tool.execute()]).toEqual(['mocked', "ann's cart!"]);
  });

  it('stands in for a frozen one', () => {
    const tool = Object.assign(new Cart(), { execute: () => 'own' });
    const standIn = standInFor(Object.freeze(tool) as typeof tool, 'execute', () => 'guarded');
    expect(standIn.execute()).toBe('guarded');
    expect(Object.keys(standIn)).toEqual(['name', 'user', 'execute']);
    expect(() => {
      standIn.user = 'bob';
    }).toThrow(TypeError);
    expect(() => Object.freeze(standIn)).toThrow(TypeError);
  });

  it('begins methods that lead to the function itself', () => {
    const leads = (name: PropertyKey) => name === 'invoke';
    expect(standInFor(new Invoked(), 'execute', () => 'guarded', leads).invoke()).toBe('guarded');
    expect(standInFor(new Invoked(), 'execute', () => 'guarded').invoke()).toBe("ann's cart!");
  });
});

it.each([
  ['a plain object', Object.prototype],
  ['an object without a prototype', null],
])('%s is copied', (_, prototype) => {
  const run = () => 1;
  const tool = Object.assign(Object.create(prototype) as object, { name: 'cart', run });
  const standIn = standInFor(tool, 'run', () => 2);
  expect([standIn.name, standIn.run(), tool.run()]).toEqual(['cart', 2, 1]);
  expect(Object.getPrototypeOf(standIn)).toBe(prototype);
  expect(Object.isFrozen(Object.freeze(standIn))).toBe(true);
});

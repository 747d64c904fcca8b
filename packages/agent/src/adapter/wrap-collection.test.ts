import { asItIs, wrapNamed, wrapRecord, type WrapOne } from './wrap-collection.js';

const read = { effect: 'read' } as const;
const mutate = { effect: 'mutate' } as const;
const idOf = (tool: object) => (tool as { id?: string }).id;

/** Says what it was given, instead of wrapping. */
const told: WrapOne = (name, tool, policy) => ({ name, tool, effect: policy?.effect });

it('gives each named tool the policy of its name', () => {
  const [cart, order] = [{ name: 'cart' }, { name: 'order' }];
  expect(wrapNamed([cart, order], 'run', { policies: { order: read } }, told)).toEqual([
    { name: 'cart', tool: cart, effect: undefined },
    { name: 'order', tool: order, effect: 'read' },
  ]);
});

it('gives each tool of a record the policy of its name there before that of its own', () => {
  const tools = { one: { id: 'a' }, two: { id: 'b' }, three: {} };
  const policies = { one: read, a: mutate, b: mutate };
  expect(wrapRecord(tools, 'execute', { policies }, told, idOf)).toEqual({
    one: { name: 'one', tool: tools.one, effect: 'read' },
    two: { name: 'two', tool: tools.two, effect: 'mutate' },
    three: { name: 'three', tool: tools.three, effect: undefined },
  });
});

it.each([
  [{ policies: { other: read } }, 'policies name other, but the tools are one'],
  [{ policies: { a: read } }, 'policies name a, but the tools are one'],
  [{ policies: null as never }, 'policies must be an object of policies by name, got null'],
])('refuses policies that are for no tool: %j', (options, message) => {
  expect(() => wrapRecord({ one: { id: 'a' } }, 'execute', options, told)).toThrow(message);
  expect(() => wrapNamed([{ name: 'one' }], 'run', options, told)).toThrow(message);
});

it.each<[string, unknown, string]>([
  ['undefined', undefined, 'takes a record of tools by name, got undefined'],
  ['null', null, 'takes a record of tools by name, got null'],
  ['an array', [], 'takes a record of tools by name'],
  ['a text', 'tools', "takes a record of tools by name, got 'tools'"],
  ['a Map', new Map([['one', {}]]), 'takes a record of tools by name'],
  ['a Set', new Set([{}]), 'takes a record of tools by name'],
  ['an iterator', [{}].values(), 'takes a record of tools by name'],
  ['a single tool', { execute: () => 1 }, 'got a single tool, for which there is wrapTool'],
  ['a tool that is not there', { one: {}, two: undefined }, 'and two is none: got undefined'],
  ['a tool that is null', { one: null }, 'and one is none: got null'],
])('takes %s for no record of tools', (_, tools, message) => {
  expect(() => wrapRecord(tools as never, 'execute', {}, told)).toThrow(message);
});

it('makes a record of the same class, with what else it has', () => {
  class Tools {
    [name: string]: unknown;
    readonly cart = {};
    names() {
      return Object.keys(this);
    }
  }
  const wrapped = wrapRecord(new Tools() as unknown as Record<string, object>, 'execute', {}, told);
  expect(wrapped).toBeInstanceOf(Tools);
  expect((wrapped as unknown as Tools).names()).toEqual(['cart']);
  expect(wrapped.cart).toMatchObject({ name: 'cart' });

  const bare = Object.assign(Object.create(null) as Record<string, object>, { constructor: {} });
  const wrappedBare = wrapRecord(Object.freeze(bare), 'execute', {}, told);
  expect(Object.getPrototypeOf(wrappedBare)).toBeNull();
  expect(wrappedBare.constructor).toMatchObject({ name: 'constructor' });
});

it('leaves a tool alone that runs elsewhere, unless it has a policy', () => {
  const tool = {};
  expect(asItIs('search', tool, undefined, 'has no run')).toBe(tool);
  expect(() => asItIs('search', tool, read, 'has no run')).toThrow(
    'search has no run: it runs elsewhere',
  );
});

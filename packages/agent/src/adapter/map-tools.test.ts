import { namedTools, sameCollection } from './map-tools.js';

const one = { name: 'one' };
const two = { name: 'two' };
const nameless = {};
const ownName = (tool: object) => (tool as { name?: string }).name;

it.each([
  ['an array', [one, two], ['one', 'two']],
  ['a record', { a: one, b: nameless }, ['one', 'b']],
  ['a Map', new Map<string, object>([['a', nameless]]), ['a']],
  ['an empty array', [], []],
])('names the tools of %s, and makes another one', (_, tools, names) => {
  const named = namedTools(tools, ownName, 'run');
  expect(named.map(([name]) => name)).toEqual(names);
  const same = sameCollection(
    tools,
    named.map(([, tool]) => tool),
  );
  expect(same).toEqual(tools);
  expect(same).not.toBe(tools);
});

it.each([
  [
    'a single tool',
    { name: 'one', run: () => 1 },
    'got a single tool, for which there is wrapTool',
  ],
  ['nothing', undefined, 'got undefined'],
  [
    'what holds no tools',
    [1],
    'wrapTools takes an array or a record of tools, and 0 is none: got 1',
  ],
  ['a hole', Array(1), 'and 0 is none: got undefined'],
  ['a Set', new Set([one]), 'wrapTools takes an array or a record of tools, got'],
  ['an iterator', [one].values(), 'wrapTools takes an array or a record of tools, got'],
])('refuses %s', (_, tools, message) => {
  expect(() => namedTools(tools, ownName, 'run')).toThrow(message);
});

it('keeps a tool whose name is __proto__', () => {
  const tools = JSON.parse('{ "__proto__": {} }') as Record<string, object>;
  const named = namedTools(tools, ownName, 'run');
  expect(named.map(([name]) => name)).toEqual(['__proto__']);
  expect(Object.keys(sameCollection(tools, [one]))).toEqual(['__proto__']);
});

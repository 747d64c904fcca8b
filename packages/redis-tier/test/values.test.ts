import { startRedis, type RedisServer } from '../../../tools/redis/index.js';
import { failOnUnhandledRejections } from './illness.js';
import { mustNotLoad, World, type Process } from './world.js';

failOnUnhandledRejections();

let redis: RedisServer;
const world = new World(() => redis.url);
let a: Process;
let b: Process;
let c: Process;
beforeAll(async () => {
  redis = await startRedis();
  [a, b, c] = await world.three({ maxSize: null });
});
afterAll(async () => {
  await world.close();
  await redis.stop();
});

const values: [what: string, value: unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['false', false],
  ['an empty text', ''],
  ['-0', -0],
  ['NaN', NaN],
  ['-Infinity', -Infinity],
  ['the least number', 5e-324],
  ['a bigint', -(2n ** 200n)],
  ['a date', new Date(1_234_567_890_123)],
  ['a Map', new Map<unknown, unknown>([[{ a: 1 }, new Set([1, NaN, -0])]])],
  ['a Set', new Set([new Map(), 1n, undefined])],
  ['a Buffer', Buffer.from([0, 255, 10, 13])],
  ['an empty Buffer', Buffer.alloc(0)],
  ['a large Buffer', Buffer.alloc(300_000, 7)],
  ['numbers', new Float64Array([-0, NaN, 1.5])],
  ['bigints', new BigInt64Array([-1n, 2n])],
  ['a part of memory', new Uint16Array(new ArrayBuffer(20), 4, 3)],
  ['memory', new Uint8Array([9, 8]).buffer],
  ['a view', new DataView(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2)],
  ['half a character', 'a\udc00b\ud800'],
  ['what looks like a reply', '\0\r\n$-1\r\n'],
  ['a long text', 'é😀'.repeat(50_000)],
  ['holes', Object.assign(new Array<number>(5), { 0: 1, 2: 3 })],
  ['undefined inside', { a: undefined, b: [undefined, null] }],
  ['keys of a prototype', JSON.parse('{"__proto__":{"x":1},"constructor":2}')],
  ['no prototype', Object.assign(Object.create(null) as object, { a: 1 })],
  ['a regular expression', /a\/b/giu],
  ['a URL', new URL('https://a.b/c?d#e')],
  ['many properties', Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`k${at}`, at]))],
];

describe('a value that another process stored', () => {
  it.each(values)('is what it was: %s', async (what, value) => {
    const [set, loaded] = [`${what}, set`, `${what}, loaded`];
    await a.set(set, value);
    await a.get(loaded, () => value);
    expect(await b.get(set, mustNotLoad)).toStrictEqual(value);
    expect(await b.get(loaded, mustNotLoad)).toStrictEqual(value);
    const many = await c.getMany([loaded, set], mustNotLoad);
    expect([...many.values()]).toStrictEqual([value, value]);
  });

  it('is what it was: an error with its cause and properties', async () => {
    const cause = new RangeError('c');
    await a.set('error', Object.assign(new TypeError('m', { cause }), { code: 'E' }));
    const error = (await b.get('error')) as Error;
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({ message: 'm', code: 'E' });
    expect(error.cause).toBeInstanceOf(RangeError);
    await a.set('errors', new AggregateError([new Error('one')], 'all'));
    const { errors } = (await b.get('errors')) as { errors: Error[] };
    expect(errors.map(({ message }) => message)).toEqual(['one']);
  });

  it('is what it was: a cycle, and what is shared', async () => {
    const shared = { x: 1 };
    const value: Record<string, unknown> = { one: shared, two: shared };
    value.self = value;
    await a.set('cycle', value);
    const got = (await b.get('cycle')) as typeof value;
    expect(got.self).toBe(got);
    expect(got.one).toBe(got.two);
    expect(got.one).toEqual(shared);
  });
});

describe('a value that is cloned', () => {
  interface Value {
    n: number[];
  }

  it('is what it was when it was set, whoever changes it afterwards', async () => {
    const [here, there] = await world.two<string, Value>({ clone: structuredClone });
    const value = { n: [1] };
    const setting = here.set('k', value);
    value.n.push(2);
    await setting;
    (await there.get('k'))!.n.push(3);
    expect(await here.get('k')).toEqual({ n: [1] });
    expect(await there.get('k')).toEqual({ n: [1] });
  });

  it('is what it was when it was loaded, for each who joined', async () => {
    const [here, there] = await world.two<string, Value>({ clone: structuredClone });
    const value = { n: [1] };
    const load = (): Value => value;
    const [one, other] = await Promise.all([here.get('k', load), here.get('k', load)]);
    one.n.push(2);
    value.n.push(3);
    expect(other).toEqual({ n: [1] });
    expect(await here.get('k')).toEqual({ n: [1] });
    expect(await there.get('k')).toEqual({ n: [1] });
  });
});

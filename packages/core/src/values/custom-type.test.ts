import { valueSerializer, type CustomType } from '../values.js';

const serializer = valueSerializer();
const thrownBy = (action: () => unknown): unknown => {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
};

class Money {
  constructor(
    readonly amount: number,
    readonly currency: string,
  ) {}
}
describe('custom types', () => {
  const money: CustomType<Money> = {
    name: 'Money',
    class: Money,
    encode: ({ amount, currency }) => [amount, currency],
    decode: ([amount, currency]: [number, string]) => new Money(amount, currency),
  };
  const params: CustomType<URLSearchParams> = {
    name: 'URLSearchParams',
    class: URLSearchParams,
    encode: String,
    decode: (text: string) => new URLSearchParams(text),
  };
  class Node {
    constructor(readonly next: unknown) {}
  }
  const node: CustomType<Node> = {
    name: 'Node',
    class: Node,
    encode: ({ next }) => ({ next }),
    decode: ({ next }: { next: unknown }) => new Node(next),
  };
  const typed = valueSerializer({ types: [money, params, node] });
  const typedRoundTrip = <T>(value: T): T => typed.deserialize(typed.serialize(value)) as T;

  it('come back as instances, and stay shared', () => {
    const price = new Money(5, 'EUR');
    const back = typedRoundTrip({ price, all: new Set([price]), node: new Node(new Node(price)) });
    expect(back.price).toBeInstanceOf(Money);
    expect(back.price).toEqual(price);
    expect(back.all.has(back.price)).toBe(true);
    expect((back.node.next as Node).next).toBe(back.price);
    expect(typedRoundTrip(new URLSearchParams('a=1')).get('a')).toBe('1');
  });

  it('stand for subclasses too', () => {
    class Price extends Money {}
    expect(typedRoundTrip<Money>(new Price(1, 'EUR'))).toEqual(new Money(1, 'EUR'));
    const price: CustomType<Price> = {
      ...money,
      name: 'Price',
      class: Price,
      decode: () => 'a price' as never,
    };
    const both = valueSerializer({ types: [money, price] });
    expect(both.deserialize(both.serialize([new Price(1, 'EUR')]))).toEqual(['a price']);
  });

  it('may use the serializer themselves', () => {
    const packed: CustomType<Money> = {
      ...money,
      encode: ({ amount }) => typed.serialize({ amount }),
      decode: (bytes: Uint8Array) => new Money((typed.deserialize(bytes) as Money).amount, 'EUR'),
    };
    const packing = valueSerializer({ types: [packed] });
    const prices = [new Money(1, 'EUR'), new Money(2, 'EUR')];
    expect(packing.deserialize(packing.serialize(prices))).toEqual(prices);
  });

  it('cannot be part of a cycle, which is told with its path', () => {
    const data: unknown[] = [];
    data.push({ loop: new Node(data) });
    expect(() => typed.serialize(new Node({ a: new Node([]) }))).not.toThrow();
    const self = new Node(undefined);
    Object.assign(self, { next: [self] });
    expect(() => typed.serialize({ self })).toThrow(
      /^value\.self\.encode\(\)\.next\[0\] is a cycle/,
    );
    expect(typedRoundTrip(data)).toHaveLength(1);
  });

  it('are told from damage when they throw', () => {
    const failing = valueSerializer({
      types: [
        {
          ...money,
          encode: () => {
            throw new Error('no');
          },
        },
      ],
    });
    expect(() => failing.serialize({ m: new Money(1, 'a') })).toThrow('value.m cannot be read: no');
    const cause = new Error('not mine');
    const picky = valueSerializer({
      types: [
        {
          ...money,
          decode: () => {
            throw cause;
          },
        },
      ],
    });
    const error = thrownBy(() => picky.deserialize(typed.serialize(new Money(1, 'a'))));
    expect(error).toMatchObject({ code: 'ERR_ACACHE_DAMAGED', cause });
    expect(() => serializer.deserialize(typed.serialize(new Money(1, 'a')))).toThrow(
      "no custom type 'Money'",
    );
  });

  it('are checked', () => {
    for (const [types, message] of [
      [{}, 'types must be an array, got an object'],
      [[undefined], 'types must have a name, got undefined'],
      [[{ ...money, name: '' }], "types must have a name, got ''"],
      [[{ ...money, encode: 5 }], "the type 'Money' must have a function as encode, got 5"],
      [
        [{ ...money, class: Object }],
        "the type 'Money' must be of a class of its own, got function Object",
      ],
      [[{ ...money, class: () => 1 }], "the type 'Money' must be of a class of its own"],
      [
        [money, { ...params, name: 'Money' }],
        "types must differ in name and class, got two for 'Money'",
      ],
    ] as const) {
      expect(() => valueSerializer({ types: types as never })).toThrow(message);
    }
  });
});

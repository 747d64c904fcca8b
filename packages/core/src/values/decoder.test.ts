import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { difference } from '../../test/difference.js';
import { valueSerializer } from '../values.js';
import { CustomTypes, type CustomType } from './custom-type.js';
import { Decoder } from './decoder.js';

const serializer = valueSerializer();
const bytesOf = (value: unknown) => serializer.serialize(value);
const decoderOf = (...types: readonly CustomType[]) => new Decoder(new CustomTypes(types));

/** What a decoder makes of bytes: a value, or what it says of damage. */
function outcome(decoder: Decoder, bytes: Uint8Array): unknown {
  try {
    return { value: decoder.decode(bytes) };
  } catch (error) {
    return { damage: (error as Error).message };
  }
}

describe('a decoder that is used again', () => {
  const cycle: unknown[] = [{ id: 1, name: 'bob' }];
  cycle.push(cycle, cycle[0]);
  const values = [
    cycle,
    new Map([[{ id: 2 }, new Set([1.5])]]),
    [new Date(5), new Date(5)],
    Object.assign(new Error('a'), { code: 'E', stack: '' }),
  ];

  it('reads each value as a new one does', () => {
    const decoder = decoderOf();
    for (const value of [...values, ...values]) {
      expect(difference(decoder.decode(bytesOf(value)), value)).toBeUndefined();
    }
  });

  it('is as good as new after bytes that end early', () => {
    const decoder = decoderOf();
    for (const value of values) {
      const bytes = bytesOf(value);
      for (let length = 0; length < bytes.length; length++) {
        expect(outcome(decoder, bytes.subarray(0, length))).toHaveProperty('damage');
        expect(difference(decoder.decode(bytes), value)).toBeUndefined();
      }
    }
  });

  it('knows nothing of the objects and shapes of the value before', () => {
    const decoder = decoderOf();
    decoder.decode(bytesOf([{ id: 1 }]));
    expect(() => decoder.decode(Uint8Array.of(1, 0xfa, 0))).toThrow('0 is none of 0 objects');
    decoder.decode(bytesOf([{ id: 1 }]));
    expect(() => decoder.decode(Uint8Array.of(1, 0xc0, 5))).toThrow('0 is none of 0');
    expect(() => decoder.decode(Uint8Array.of(1, 0xf0, 5, 0xf0))).toThrow('and 1 bytes are left');
    expect(() => decoder.decode(Uint8Array.of(1, 0xe4))).toThrow('a hole outside of an array');
  });

  it('counts regular expressions for each value anew', () => {
    const decoder = decoderOf();
    const long = bytesOf(new RegExp('a'.repeat(600)));
    for (let round = 0; round < 3; round++) expect(decoder.decode(long)).toBeInstanceOf(RegExp);
  });

  it('reads the same of any bytes, whatever it read before', () => {
    const random = randomFrom(9);
    const below = (limit: number) => Math.floor(random() * limit);
    const samples = [...values, [{ id: 1 }, { id: 2 }, { name: 3 }], { 'x\ny': 1, x: { y: 1 } }];
    const used = decoderOf();
    let damaged = 0;
    for (let round = 0; round < 20_000; round++) {
      const bytes = bytesOf(samples[below(samples.length)]);
      for (let left = below(4); left > 0; left--) bytes[below(bytes.length)] = below(256);
      const fresh = outcome(decoderOf(), bytes);
      expect(difference(outcome(used, bytes), fresh)).toBeUndefined();
      if ('damage' in (fresh as object)) damaged++;
    }
    expect(damaged).toBeGreaterThan(4_000);
    expect(damaged).toBeLessThan(18_000);
  });

  it('keeps nothing of a value, nor of its bytes', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const decoder = decoderOf();
    const refs = [[{ id: 1 }, 2.5], cycle].flatMap((value) => {
      const bytes = bytesOf(value).slice();
      const back = decoder.decode(bytes) as object;
      const cut = bytes.slice(0, -1);
      expect(outcome(decoder, cut)).toHaveProperty('damage');
      return [new WeakRef(bytes.buffer), new WeakRef(back), new WeakRef(cut.buffer)];
    });
    // What a WeakRef was made of stays until the turn ends.
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    expect(refs.filter((ref) => ref.deref() !== undefined)).toHaveLength(0);
    expect(decoder.decode(bytesOf(1))).toBe(1);
  });
});

describe('a custom type that deserializes with its own serializer', () => {
  class Box {
    constructor(readonly content: unknown) {}
  }
  const both = valueSerializer({
    types: [
      {
        name: 'Box',
        class: Box,
        encode: ({ content }: Box) => both.serialize({ content }),
        decode: (bytes: Uint8Array) => new Box((both.deserialize(bytes) as Box).content),
      },
    ],
  });

  it('leaves the value alone that is being read', () => {
    const shared = { id: 1 };
    const value = [shared, new Box([new Box(shared), 1.5]), shared, { id: 2 }];
    for (let round = 0; round < 3; round++) {
      const back = both.deserialize(both.serialize(value)) as typeof value;
      expect(back).toEqual(value);
      expect(back[2]).toBe(back[0]);
    }
  });

  it('and meets damage, leaves the serializer as good as new', () => {
    const bytes = both.serialize([new Box({ id: 1 }), 2]);
    const inner = bytes.findIndex((byte, at) => byte === 1 && bytes[at + 1] === 0xed && at > 1);
    const damaged = bytes.slice().fill(0xff, inner, inner + 1);
    expect(() => both.deserialize(damaged)).toThrow("the custom type 'Box' could not decode");
    expect(both.deserialize(bytes)).toEqual([new Box({ id: 1 }), 2]);
  });
});

/** The same numbers in every run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

import { deserialize, serialize } from 'node:v8';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import type { Entry, Serializer } from '@acache/core';
import { crc32 } from './crc32.js';
import {
  HEAD_LENGTH,
  headOf,
  readEnvelope,
  writeEnvelope,
  type EntryEnvelope,
} from './envelope.js';
import { ID_LENGTH } from './beginning.js';
import { writePlaceholder, type Placeholder, type Stamps } from './placeholder.js';
import { STAMP_LENGTH } from './stamped-tags.js';

const v8: Serializer = { serialize, deserialize: (bytes) => deserialize(bytes) as unknown };
/** Values are their bytes, so that tests can lay out payloads. */
const raw: Serializer = {
  serialize: (value) => value as Buffer,
  deserialize: (bytes) => Buffer.from(bytes),
};

const id = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
const otherId = Buffer.alloc(ID_LENGTH, 0xee);
const stamp = (byte: number) => Buffer.alloc(STAMP_LENGTH, byte);
const stampsFor = (tags: readonly string[]): Stamps => ({
  namespace: stamp(0xaa),
  tags: tags.map((_, nth) => stamp(0xb1 + (nth % 64))),
});
const plain: Entry<Buffer> = {
  value: Buffer.from('abc'),
  createdAt: 1000,
  freshUntil: 5000,
  staleWhileRevalidate: 250.5,
  staleIfError: Infinity,
  tags: [],
};

function write(entry: Entry, serializer = raw, compressAbove: number | false = false): Buffer {
  return writeEnvelope(entry, id, stampsFor(entry.tags), serializer, compressAbove);
}

function entryIn(bytes: Buffer, serializer = raw): EntryEnvelope {
  const read = readEnvelope(bytes, serializer);
  if (read.kind !== 'entry') throw new Error(`expected an entry, got ${JSON.stringify(read)}`);
  return read;
}

/** All of an entry but its value. */
function contentOf({ kind, id: ofId, times, weight, tags, stamps, head: ofHead }: EntryEnvelope) {
  return { kind, id: ofId, times, weight, tags, stamps, head: ofHead };
}

/** An entry of which somebody changed bytes who knows how to make checksums. */
function forged(bytes: Buffer, ...changes: readonly (readonly [at: number, hex: string])[]) {
  const copy = Buffer.from(bytes);
  for (const [at, hex] of changes) copy.write(hex, at, 'hex');
  copy.writeUInt32BE(crc32(copy, 0, 28), 28);
  copy.writeUInt32BE(crc32(copy, HEAD_LENGTH, copy.length - 4), copy.length - 4);
  return copy;
}

const hex = (...parts: readonly string[]) => parts.join('').replaceAll(' ', '');
const start = (kind: string) => `acca 01 ${kind} 000102030405060708090a0b0c0d0e0f`;
const head = hex(start('02'), '40b3880000000000 561bc9ea');
const waiting = writePlaceholder(id, [], { namespace: Buffer.alloc(STAMP_LENGTH, 7), tags: [] });
const windows = '408f400000000000 406f500000000000 7ff0000000000000';
const namespaceStamp = 'aaaaaaaaaaaaaaaa';

describe('headOf', () => {
  it('is magic, version, kind, id, freshUntil and their checksum', () => {
    expect(headOf(id, 5000).toString('hex')).toBe(head);
    expect(headOf(id, Infinity).toString('hex')).toBe(
      hex(start('02'), '7ff0000000000000 8df6716a'),
    );
    expect(headOf(id, 0)).toHaveLength(HEAD_LENGTH);
  });

  it('gives an entry another id and another end of its freshness, and leaves the rest', () => {
    const entry = { ...plain, tags: ['a'], weight: 3 };
    const bytes = write(entry);
    const replaced = headOf(otherId, 1234.5);
    const read = entryIn(Buffer.concat([replaced, bytes.subarray(HEAD_LENGTH)]));
    const before = contentOf(entryIn(bytes));
    expect(contentOf(read)).toEqual({
      ...before,
      id: otherId,
      times: { ...before.times, freshUntil: 1234.5 },
      head: replaced,
    });
    expect(read.value()).toEqual(plain.value);
  });
});

describe('writeEnvelope', () => {
  it('writes an entry without tags and weight', () => {
    expect(write(plain).toString('hex')).toBe(
      hex(head, windows, '00', namespaceStamp, '0000 00000003 616263 7cce149f'),
    );
  });

  it('writes weight and tags, with lone surrogates as UTF-16', () => {
    const entry = { ...plain, value: Buffer.alloc(0), weight: 0.5, tags: ['é1', 'a\ud800'] };
    expect(write(entry).toString('hex')).toBe(
      hex(
        head,
        windows,
        '02',
        namespaceStamp,
        '3fe0000000000000 0002',
        '0003 c3a931 b1b1b1b1b1b1b1b1',
        '8004 610000d8 b2b2b2b2b2b2b2b2',
        '00000000 28adf02d',
      ),
    );
  });

  it('writes a payload deflated, and how long it is otherwise', () => {
    const value = Buffer.alloc(1000, 'ab');
    const bytes = write({ ...plain, value }, raw, 999);
    const deflated = deflateRawSync(value, { level: 1 });
    expect(bytes.subarray(0, 71).toString('hex')).toBe(
      hex(head, windows, '01', namespaceStamp, '0000 000003e8'),
    );
    expect(bytes.subarray(71, -4)).toEqual(deflated);
  });

  it('compresses no payload that is small, or when it is not asked to', () => {
    const value = Buffer.alloc(1000, 'ab');
    const asItIs = write({ ...plain, value }, raw, false);
    expect(write({ ...plain, value }, raw, 1000)).toEqual(asItIs);
    expect(entryIn(asItIs).value()).toEqual(value);
  });

  it('takes tags of up to 32767 bytes', () => {
    const longest = ['a'.repeat(32_767), `${'é'.repeat(16_383)}a`, '\ud800'.repeat(16_383)];
    for (const tag of longest) {
      expect(entryIn(write({ ...plain, tags: [tag] })).tags).toEqual([tag]);
      expect(() => write({ ...plain, tags: ['short', `${tag}ü`] })).toThrow(
        /^a tag may have 32767 bytes, got 327\d\d in '/,
      );
    }
  });

  it('takes up to 65535 tags', () => {
    const tags = Array.from({ length: 65_535 }, (_, nth) => `t${nth}`);
    expect(entryIn(write({ ...plain, tags })).tags).toEqual(tags);
    expect(() => write({ ...plain, tags: [...tags, 'more'] })).toThrow(
      'an entry may have 65535 tags, got 65536',
    );
  });

  it('throws what the serializer throws', () => {
    const error = new Error('no bytes');
    const failing = {
      ...raw,
      serialize: () => {
        throw error;
      },
    };
    expect(() => write(plain, failing)).toThrow(error);
  });

  it('refuses a serializer that gives no bytes', () => {
    const wrong = { ...raw, serialize: JSON.stringify as unknown as Serializer['serialize'] };
    expect(() => write({ ...plain, value: 1 }, wrong)).toThrow(
      "serialize must give a Uint8Array, got '1'",
    );
  });

  it('takes bytes that are no Buffer', () => {
    const bytes = new Uint8Array([0, 97, 98, 99, 0]).subarray(1, 4);
    expect(write(plain, { ...raw, serialize: () => bytes })).toEqual(write(plain));
  });

  it('refuses ids and stamps of other lengths, and other numbers of stamps', () => {
    const tagged = { ...plain, tags: ['a'] };
    const attempt = (ofId: Buffer, namespace: Buffer, tags: readonly Buffer[]) => () =>
      writeEnvelope(tagged, ofId, { namespace, tags }, raw, false);
    expect(attempt(id, stamp(1), [stamp(2)])).not.toThrow();
    expect(attempt(stamp(1), stamp(1), [stamp(2)])).toThrow('must have 16 bytes, got 8');
    expect(attempt(id, id, [stamp(2)])).toThrow('must have 8 bytes, got 16');
    expect(attempt(id, stamp(1), [Buffer.alloc(7)])).toThrow('must have 8 bytes, got 7');
    expect(attempt(id, stamp(1), [])).toThrow('1 tags need as many stamps, got 0');
  });
});

describe('readEnvelope', () => {
  const units = fc
    .array(fc.integer({ min: 0, max: 0xffff }), { minLength: 1, maxLength: 8 })
    .map((codes) => String.fromCharCode(...codes));
  const tag = fc.oneof(
    units,
    fc.string({ unit: 'binary', minLength: 1 }),
    fc.constantFrom('a', '\ud800', '\udc00', '\udc00\ud800', '\ufffd', '\ufeffa', '\0', '😀'),
  );
  const time = fc.oneof(
    fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(0, -0, 1_700_000_000_000.25, Number.MAX_VALUE, Number.MIN_VALUE),
  );
  const timeOrForever = fc.oneof(time, fc.constant(Infinity));
  const stampBytes = fc
    .uint8Array({ minLength: STAMP_LENGTH, maxLength: STAMP_LENGTH })
    .map((bytes) => Buffer.from(bytes));
  const value = fc.oneof(
    fc.jsonValue(),
    fc.string({ maxLength: 2000, size: 'max' }),
    fc.bigInt(),
    fc.constantFrom(undefined, NaN, -0, 'x'.repeat(5000)),
  );
  const stamped = fc.array(fc.tuple(tag, stampBytes), { maxLength: 6 });
  const written = fc.record({
    value,
    createdAt: time,
    freshUntil: timeOrForever,
    staleWhileRevalidate: timeOrForever,
    staleIfError: timeOrForever,
    weight: fc.option(time, { nil: undefined }),
    stamped,
    namespace: stampBytes,
    id: fc.uint8Array({ minLength: ID_LENGTH, maxLength: ID_LENGTH }).map((b) => Buffer.from(b)),
    compressAbove: fc.constantFrom<number | false>(false, 0, 100, Infinity),
  });

  it('reads what writeEnvelope wrote', () => {
    fc.assert(
      fc.property(written, ({ stamped: pairs, namespace, id: ofId, compressAbove, ...rest }) => {
        const tags = pairs.map(([text]) => text);
        const stamps = { namespace, tags: pairs.map(([, bytes]) => bytes) };
        const { value: original, weight, ...times } = rest;
        const entry: Entry = {
          value: original,
          ...times,
          tags,
          ...(weight !== undefined && { weight }),
        };
        const bytes = writeEnvelope(entry, ofId, stamps, v8, compressAbove);
        const read = entryIn(bytes, v8);
        expect(contentOf(read)).toEqual({
          kind: 'entry',
          id: ofId,
          times,
          weight,
          tags,
          stamps,
          head: headOf(ofId, times.freshUntil),
        });
        expect(read.hasNamespaceStamp(namespace)).toBe(true);
        expect(read.value()).toEqual(original);
      }),
      { numRuns: 500 },
    );
  });

  it('reads a thousand tags, each with its stamp', () => {
    const tags = Array.from({ length: 1000 }, (_, nth) =>
      nth % 3 ? `tag ${nth}` : `\udc00${nth}`,
    );
    const read = entryIn(write({ ...plain, tags }));
    expect(read.tags).toEqual(tags);
    expect(read.stamps).toEqual(stampsFor(tags));
  });

  it('reads an empty payload', () => {
    expect(entryIn(write({ ...plain, value: Buffer.alloc(0) })).value()).toEqual(Buffer.alloc(0));
  });

  it('keeps no view of the bytes it was given', () => {
    const large = Buffer.alloc(1_000_000);
    const written = write({ ...plain, tags: ['a', 'b'] });
    const bytes = large.subarray(500_000, 500_000 + written.length);
    written.copy(bytes);
    const { id: ofId, head: ofHead, stamps } = entryIn(bytes);
    const loading = readEnvelope(large.subarray(0, waiting.copy(large)), raw) as Placeholder;
    const kept = [
      ofId,
      ofHead,
      stamps.namespace,
      ...stamps.tags,
      loading.id,
      loading.stamps.namespace,
    ];
    for (const each of kept) expect(each.buffer).not.toBe(large.buffer);
    large.fill(0);
    expect([ofId, stamps]).toEqual([id, stampsFor(['a', 'b'])]);
  });

  it('takes its copies once, when they are asked for', () => {
    const read = entryIn(write({ ...plain, tags: ['a'] }));
    const { head: first, stamps } = read;
    for (const kept of [first, read.head, read.id, stamps.namespace, ...stamps.tags]) kept.fill(7);
    expect([read.head, read.id]).toEqual([
      Buffer.alloc(HEAD_LENGTH, 7),
      Buffer.alloc(ID_LENGTH, 7),
    ]);
    expect(read.stamps).toEqual({ namespace: stamp(7), tags: [stamp(7)] });
    expect(read.value()).toEqual(plain.value);
  });

  it('tells the stamp of its namespace from any other', () => {
    const read = entryIn(write(plain));
    expect(read.hasNamespaceStamp(stamp(0xaa))).toBe(true);
    for (let nth = 0; nth < STAMP_LENGTH; nth++) {
      const other = stamp(0xaa);
      other[nth] = 0xab;
      expect(read.hasNamespaceStamp(other)).toBe(false);
    }
    expect(read.hasNamespaceStamp(stamp(0xaa).subarray(1))).toBe(false);
  });

  it('leaves the payload alone until its value is asked for', () => {
    const deserialize = jest.fn(() => 'value');
    const bytes = write({ ...plain, value: Buffer.alloc(1000) }, raw, 0);
    const read = entryIn(bytes, { ...raw, deserialize });
    expect(deserialize).not.toHaveBeenCalled();
    expect(read.value()).toBe('value');
    expect(deserialize).toHaveBeenCalledWith(Buffer.alloc(1000));
  });

  it('tells a newer version from damage', () => {
    for (const bytes of [waiting, write(plain), Buffer.from('acca0200', 'hex')]) {
      bytes[2] = 2;
      expect(readEnvelope(bytes, raw)).toEqual({
        kind: 'alien',
        reason: 'it is of a newer version, 2',
      });
    }
  });

  const bytes = write({ ...plain, tags: ['ab', 'c'], weight: 1 });
  const compressed = write({ ...plain, value: Buffer.alloc(500) }, raw, 0);
  const infinite = '7ff0000000000000';
  const nan = '7ff8000000000000';
  const negative = 'bff0000000000000';
  it.each<[string, Buffer, string]>([
    ['no bytes', Buffer.alloc(0), 'it is no envelope'],
    ['another magic', Buffer.from(`{"value":"${'x'.repeat(100)}"}`), 'it is no envelope'],
    ['version 0', forged(bytes, [2, '00']), 'there is no version 0'],
    ['kind 0', forged(bytes, [3, '00']), 'there is no kind 0'],
    ['kind 3', forged(bytes, [3, '03']), 'there is no kind 3'],
    ['no kind', bytes.subarray(0, 3), 'it is no envelope'],
    ['a longer placeholder', Buffer.concat([waiting, id]), 'its 50 bytes are not as many'],
    ['a head alone', headOf(id, 1), 'its 32 bytes are not as many'],
    ['a wrong checksum of the head', write(plain).fill(1, 31, 32), 'its head is damaged'],
    ['a wrong checksum of the rest', write(plain).fill(1, 74), 'it is damaged'],
    ['unknown flags', forged(bytes, [56, '06']), 'there are no flags 6'],
    ['createdAt NaN', forged(bytes, [32, nan]), 'cannot be meant'],
    ['createdAt Infinity', forged(bytes, [32, infinite]), 'cannot be meant'],
    ['createdAt before the epoch', forged(bytes, [32, negative]), 'cannot be meant'],
    ['freshUntil NaN', forged(bytes, [20, nan]), 'cannot be meant'],
    ['freshUntil before the epoch', forged(bytes, [20, negative]), 'cannot be meant'],
    ['staleWhileRevalidate NaN', forged(bytes, [40, nan]), 'cannot be meant'],
    ['staleWhileRevalidate below 0', forged(bytes, [40, negative]), 'cannot be meant'],
    ['staleIfError NaN', forged(bytes, [48, nan]), 'cannot be meant'],
    ['staleIfError below 0', forged(bytes, [48, negative]), 'cannot be meant'],
    ['weight NaN', forged(bytes, [65, nan]), 'cannot be meant'],
    ['weight Infinity', forged(bytes, [65, infinite]), 'cannot be meant'],
    ['weight below 0', forged(bytes, [65, negative]), 'cannot be meant'],
    ['more tags than there are', forged(bytes, [73, '0003']), 'are not as many'],
    ['65535 tags', forged(bytes, [73, 'ffff']), 'are not as many'],
    ['fewer tags than there are', forged(bytes, [73, '0001']), 'are not as many'],
    ['a tag beyond the end', forged(bytes, [75, '7fff']), 'are not as many'],
    ['tags up to the checksum', forged(bytes, [56, '03'], [87, '8008']), 'are not as many'],
    [
      'no room for its weight',
      forged(write({ ...plain, value: Buffer.alloc(0) }), [56, '02']),
      'are not as many',
    ],
    ['an empty tag', forged(bytes, [75, '0000'], [85, '0003']), 'one of its tags is no text'],
    ['a tag that is no UTF-8', forged(bytes, [77, 'c361']), 'one of its tags is no text'],
    ['a tag of half a unit', forged(bytes, [87, '8001']), 'one of its tags is no text'],
    ['a longer payload', forged(bytes, [98, '00000004']), 'are not as many'],
    ['a shorter payload', forged(bytes, [98, '00000002']), 'are not as many'],
    ['a payload of 4 GiB', forged(bytes, [98, 'ffffffff']), 'are not as many'],
  ])('reads %s as alien', (_, given, reason) => {
    expect(readEnvelope(given, raw)).toEqual({
      kind: 'alien',
      reason: expect.stringContaining(reason),
    });
  });

  it.each([
    ['4 GiB', 'ffffffff', /may declare 1 to/],
    ['nothing', '00000000', /may declare 1 to/],
    ['more than there is', '000001f5', /declares 501 bytes and has 500/],
    ['less than there is', '000001f3', /larger than 499 bytes/],
  ])('gives no value to a compressed payload that declares %s', (_, length, message) => {
    const read = entryIn(forged(compressed, [67, length]));
    expect(() => read.value()).toThrow(message);
  });

  it('gives no value to a payload that does not inflate', () => {
    const read = entryIn(forged(compressed, [71, 'ffff']));
    expect(() => read.value()).toThrow('invalid block type');
  });

  it('throws from value what the serializer throws', () => {
    expect(() => entryIn(write(plain), v8).value()).toThrow();
  });
});

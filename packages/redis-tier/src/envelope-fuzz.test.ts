import { isDeepStrictEqual } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import type { Entry, Serializer } from '@acache/core';
import { crc32 } from './crc32.js';
import { HEAD_LENGTH, readEnvelope, writeEnvelope, type EntryEnvelope } from './envelope.js';
import { BEGINNING_LENGTH, ID_LENGTH } from './beginning.js';
import { writePlaceholder } from './placeholder.js';
import { STAMP_LENGTH } from './stamped-tags.js';

const v8: Serializer = { serialize, deserialize: (bytes) => deserialize(bytes) as unknown };
const raw: Serializer = {
  serialize: (value) => value as Buffer,
  deserialize: (bytes) => Buffer.from(bytes),
};

/** mulberry32: the same damage in every run. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides;
  };
}
const roll = dice(20_260_727);
const randomBytes = (length: number) => Buffer.from(Array.from({ length }, () => roll(256)));
const times = {
  createdAt: 1.7e12,
  freshUntil: 1.7e12 + 500,
  staleWhileRevalidate: 9,
  staleIfError: 0,
};
const entries: readonly Entry[] = [
  { value: null, ...times, tags: [] },
  {
    value: { id: 7, name: 'Zoë', roles: ['admin', 'author'] },
    ...times,
    tags: ['user:7', 'users'],
  },
  {
    value: { id: 8, name: 'Zoe', roles: ['admin', 'editor'] },
    ...times,
    tags: ['user:8', 'users'],
  },
  { value: 'ab'.repeat(300), ...times, tags: ['\ud800', 'ü'], weight: 600 },
  { value: 'cd'.repeat(300), ...times, freshUntil: Infinity, staleIfError: Infinity, tags: [] },
  { value: [1, 2, 3], ...times, tags: ['a', 'b', 'c', 'd'], weight: 0 },
];

function contentOf(read: EntryEnvelope) {
  const { kind, id, times: instants, weight, tags, stamps, head } = read;
  return { kind, id, times: instants, weight, tags, stamps, head, value: read.value() };
}
const originals = entries.map((entry) => {
  const stamps = {
    namespace: randomBytes(STAMP_LENGTH),
    tags: entry.tags.map(() => randomBytes(STAMP_LENGTH)),
  };
  const bytes = writeEnvelope(entry, randomBytes(ID_LENGTH), stamps, v8, 100);
  return { bytes, content: contentOf(readEnvelope(bytes, v8) as EntryEnvelope) };
});
const whole = originals.map(({ bytes }) => bytes);
const oneOf = <T>(choices: readonly T[]) => choices[roll(choices.length)] as T;

/** What is wrong with how these bytes read, `undefined` when they are alien or an original after all. */
function fault(bytes: Buffer): string | undefined {
  const read = readEnvelope(bytes, v8);
  if (read.kind === 'alien') return undefined;
  const original = originals.find((each) => each.bytes.equals(bytes));
  const right =
    original !== undefined &&
    read.kind === 'entry' &&
    isDeepStrictEqual(contentOf(read), original.content);
  return right ? undefined : `${read.kind} in ${bytes.toString('hex')}`;
}

/** What is wrong with how any of these read; they are `count` at least, so that none goes untried. */
function faultsOf(all: Iterable<Buffer>, count: number): string[] {
  const each = [...all];
  if (each.length < count) throw new Error(`expected ${count} inputs, got ${each.length}`);
  return each.map(fault).filter((found) => found !== undefined);
}

function several<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}

describe('readEnvelope of damaged bytes', () => {
  it('reads the originals', () => {
    expect(faultsOf(whole, 6)).toEqual([]);
    expect(whole.map((bytes) => readEnvelope(bytes, v8).kind)).toEqual(entries.map(() => 'entry'));
  });

  it('sees every flipped bit', () => {
    function* flipped() {
      for (const bytes of whole) {
        for (let bit = 0; bit < bytes.length * 8; bit++) {
          const copy = Buffer.from(bytes);
          copy[bit >> 3]! ^= 1 << (bit & 7);
          yield copy;
        }
      }
    }
    expect(faultsOf(flipped(), 5900)).toEqual([]);
  });

  it('sees bytes that were overwritten, swapped or left out', () => {
    const overwritten = several(4000, () => {
      const copy = Buffer.from(oneOf(whole));
      for (let left = 1 + roll(4); left > 0; left--) copy[roll(copy.length)] = roll(256);
      return copy;
    });
    const moved = several(2000, () => {
      const copy = Buffer.from(oneOf(whole));
      const [from, to] = [roll(copy.length), roll(copy.length)];
      return copy.copyWithin(to, from, from + roll(40));
    });
    const without = several(1000, () => {
      const bytes = oneOf(whole);
      const at = roll(bytes.length);
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + roll(16))]);
    });
    expect(faultsOf([...overwritten, ...moved, ...without], 7000)).toEqual([]);
  });

  it('sees an end that is missing, and one that is too many', () => {
    const truncated = whole.flatMap((bytes) =>
      Array.from(bytes, (_, length) => bytes.subarray(0, length)),
    );
    const appended = several(1000, () =>
      Buffer.concat([oneOf(whole), oneOf([Buffer.alloc(1 + roll(8)), randomBytes(1 + roll(40))])]),
    );
    const doubled = whole.flatMap((bytes) => whole.map((other) => Buffer.concat([bytes, other])));
    expect(faultsOf([...truncated, ...appended, ...doubled], 1700)).toEqual([]);
  });

  it('sees parts of two envelopes, except for a head in place of another', () => {
    const expired = new Set(
      whole.flatMap((bytes) =>
        whole.map((other) =>
          Buffer.concat([bytes.subarray(0, HEAD_LENGTH), other.subarray(HEAD_LENGTH)]).toString(
            'hex',
          ),
        ),
      ),
    );
    const sameCut = whole.flatMap((bytes) =>
      whole.flatMap((other) =>
        Array.from({ length: Math.min(bytes.length, other.length) }, (_, at) =>
          Buffer.concat([bytes.subarray(0, at), other.subarray(at)]),
        ),
      ),
    );
    const anyCut = several(6000, () => {
      const [bytes, other] = [oneOf(whole), oneOf(whole)];
      return Buffer.concat([
        bytes.subarray(0, roll(bytes.length)),
        other.subarray(roll(other.length)),
      ]);
    });
    const spliced = [...sameCut, ...anyCut];
    expect(
      faultsOf(
        spliced.filter((bytes) => !expired.has(bytes.toString('hex'))),
        8000,
      ),
    ).toEqual([]);
  });

  it('sees bytes that never were an envelope', () => {
    const random = several(3000, () => randomBytes(roll(200)));
    const started = several(4000, () => {
      const bytes = oneOf(whole);
      const kept = oneOf([2, 3, 4, BEGINNING_LENGTH, HEAD_LENGTH, 65]);
      return Buffer.concat([bytes.subarray(0, kept), randomBytes(21 + roll(200))]);
    });
    expect(faultsOf([...random, ...started], 7000)).toEqual([]);
  });
});

describe('readEnvelope of a damaged placeholder', () => {
  it('makes nothing of it', () => {
    const stamps = { namespace: randomBytes(8), tags: [randomBytes(8), randomBytes(8)] };
    const bytes = writePlaceholder(randomBytes(ID_LENGTH), ['a', 'b'], stamps);
    const damaged = [...bytes.keys()].flatMap((length) => {
      const flipped = Array.from({ length: 8 }, (_, bit) => {
        const copy = Buffer.from(bytes);
        copy[length]! ^= 1 << bit;
        return copy;
      });
      return [...flipped, bytes.subarray(0, length)];
    });
    for (const other of whole) damaged.push(Buffer.concat([bytes, other]));
    for (const each of damaged) expect(readEnvelope(each, v8).kind).toBe('alien');
  });
});

describe('readEnvelope of bytes that were made to harm', () => {
  /** With right checksums, so that all lengths, flags and texts are met. */
  function forged(): Buffer {
    const copy = Buffer.concat([oneOf(whole), randomBytes(oneOf([0, 0, 0, 30]))]);
    for (let left = 1 + roll(6); left > 0; left--) {
      copy[20 + roll(copy.length - 20)] = oneOf([0, 1, 2, 3, 0x7f, 0x80, 0xff, roll(256)]);
    }
    for (let left = roll(3); left > 0; left--) copy[56 + roll(40)] = oneOf([0, 1, 2, 3, 0xff]);
    copy.writeUInt32BE(crc32(copy, 0, 28), 28);
    copy.writeUInt32BE(crc32(copy, HEAD_LENGTH, copy.length - 4), copy.length - 4);
    return copy;
  }

  it('reads only entries that writeEnvelope could have written', () => {
    const counts = { alien: 0, entry: 0, valueless: 0 };
    const wrong: string[] = [];
    for (const bytes of several(8000, forged)) {
      const read = readEnvelope(bytes, raw);
      if (read.kind !== 'entry') {
        counts.alien++;
        continue;
      }
      counts.entry++;
      let value: unknown;
      try {
        value = read.value();
      } catch {
        counts.valueless++;
        continue;
      }
      const { times: instants, tags, weight, stamps, id } = read;
      const entry = { value, ...instants, tags, ...(weight !== undefined && { weight }) };
      const again = readEnvelope(writeEnvelope(entry, id, stamps, raw, false), raw);
      const same = again.kind === 'entry' && isDeepStrictEqual(contentOf(again), contentOf(read));
      if (!same) wrong.push(bytes.toString('hex'));
    }
    expect(wrong).toEqual([]);
    expect(Object.values(counts).every((count) => count > 100)).toBe(true);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Serializer } from '@acache/core';
import { readEnvelope, type Envelope } from './envelope.js';

/** Simple enough to be the same for ever. */
const json: Serializer = {
  serialize: (value) => Buffer.from(JSON.stringify(value)),
  deserialize: (bytes) => JSON.parse(Buffer.from(bytes).toString()) as unknown,
};

interface Recorded {
  readonly name: string;
  /** What was in Redis, in base64. */
  readonly bytes: string;
  /** What was read from it; buffers in hex, infinite numbers as texts. */
  readonly reads: unknown;
}

const file = join(__dirname, 'recorded-envelopes.json');
const recorded = JSON.parse(readFileSync(file, 'utf8')) as readonly Recorded[];

function inWords(envelope: Envelope): unknown {
  if (envelope.kind !== 'entry') return inJson(envelope);
  const { kind, id, times, weight, tags, stamps, head } = envelope;
  return inJson({ kind, id, times, weight, tags, stamps, head, value: envelope.value() });
}

function inJson(part: unknown): unknown {
  if (Buffer.isBuffer(part)) return part.toString('hex');
  if (part === Infinity) return 'Infinity';
  if (Array.isArray(part)) return part.map(inJson);
  if (typeof part !== 'object' || part === null) return part;
  const fields = Object.entries(part).filter(([, field]) => field !== undefined);
  return Object.fromEntries(fields.map(([name, field]) => [name, inJson(field)]));
}

/** These bytes lie in somebody's Redis: to change them, or what they read as, takes a new version. */
describe('recorded envelopes', () => {
  it.each(recorded)('read as ever: $name', ({ bytes, reads }) => {
    const envelope = readEnvelope(Buffer.from(bytes, 'base64'), json);
    expect(inWords(envelope)).toEqual(reads);
  });

  it('are of every kind, with every feature', () => {
    const all = JSON.stringify(recorded);
    for (const feature of ['"placeholder"', '"weight"', '"Infinity"', '\\ud800', '"tags":[]']) {
      expect(all).toContain(feature);
    }
    const ofEntries = recorded.filter(({ name }) => !name.includes('placeholder'));
    const flags = ofEntries.map(({ bytes }) => Buffer.from(bytes, 'base64')[56]);
    expect([...new Set(flags)].sort()).toEqual([0, 1, 2, 3]);
  });
});

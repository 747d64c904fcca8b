import type { Serializer } from '@acache/core';
import type { RedisServer } from '../../../tools/redis/index.js';
import { failOnUnhandledRejections, timed } from './illness.js';
import { redisForAll, startProcess } from './processes.js';

failOnUnhandledRejections();

let redis: RedisServer;
redisForAll((server) => (redis = server));

/** Puts bytes as they are into an envelope that is whole: what another writer could do. */
const forging: Serializer = {
  serialize: (value) => value as Uint8Array,
  deserialize: (bytes) => bytes,
};

/** A text as the serializer of values writes it. */
function text(value: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(Buffer.byteLength(value));
  return Buffer.concat([Buffer.of(0xeb), length, Buffer.from(value)]);
}

describe('bytes of a value that would take seconds to make', () => {
  it.each([
    ['a regular expression', 0xf4, [text('\\p{RGI_Emoji}'.repeat(700)), text('v')]],
    ['a URL', 0xf5, [text(`http://a${'\u0300\u0316'.repeat(45_000)}`)]],
  ])('hold nobody up: %s', async (_what, kind, parts) => {
    const writer = await startProcess(redis.url, { serializer: forging });
    await writer.cache.set('k', Buffer.concat([Buffer.of(1, kind), ...parts]));
    await writer.cache.flush();
    const reader = await startProcess(redis.url, { commandTimeout: 200 });
    const took = await timed(async () => {
      expect(await reader.cache.get('k', () => 'loaded')).toBe('loaded');
    });
    expect(took).toBeLessThan(500);
    expect(reader.states).toContain('unreadable');
  });
});

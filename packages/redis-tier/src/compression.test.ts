import { randomBytes } from 'node:crypto';
import { constants, deflateRawSync } from 'node:zlib';
import { deflate, inflate, MAX_INFLATED } from './compression.js';

const MiB = 1024 * 1024;

/** So many MiB of zeros in about a thousandth of it: blocks that refer to nothing before them. */
function bomb(mebibytes: number): Buffer {
  const block = deflateRawSync(Buffer.alloc(MiB), {
    level: 9,
    finishFlush: constants.Z_FULL_FLUSH,
  });
  const blocks = Array.from({ length: mebibytes }, () => block);
  return Buffer.concat([...blocks, deflateRawSync(Buffer.alloc(0))]);
}

describe('deflate', () => {
  it('compresses what has more bytes than asked', () => {
    const payload = Buffer.alloc(1000, 'ab');
    const deflated = deflate(payload, 999);
    expect(deflated?.length).toBeLessThan(50);
    expect(deflate(payload, 1000)).toBeUndefined();
  });

  it('leaves alone what would not get smaller', () => {
    expect(deflate(randomBytes(1000), 0)).toBeUndefined();
    expect(deflate(Buffer.from('a'), 0)).toBeUndefined();
    expect(deflate(Buffer.alloc(0), 0)).toBeUndefined();
  });

  it('leaves alone what inflate would refuse', () => {
    expect(deflate(Buffer.alloc(MAX_INFLATED + 1), 0)).toBeUndefined();
  });
});

describe('inflate', () => {
  it.each([1, 63, 64, 1000, 65_535, 65_536, 65_537, 300_000])('restores %i bytes', (length) => {
    const payload = randomBytes(length).map((byte) => byte & 3);
    const inflated = inflate(deflateRawSync(payload, { level: 1 }), length);
    expect(inflated.equals(payload)).toBe(true);
  });

  it('restores the largest payload that deflate takes', () => {
    const deflated = deflate(Buffer.alloc(MAX_INFLATED), 0);
    expect(inflate(deflated!, MAX_INFLATED).length).toBe(MAX_INFLATED);
  });

  it('keeps no memory alive that a payload has no use for', () => {
    const small = inflate(deflateRawSync(Buffer.alloc(200)), 200);
    expect(small.buffer.byteLength).toBeLessThanOrEqual(Buffer.poolSize);
    const larger = inflate(deflateRawSync(Buffer.alloc(20_000)), 20_000);
    expect(larger.buffer.byteLength).toBeLessThanOrEqual(Math.max(20_100, Buffer.poolSize));
  });

  it.each([0, MAX_INFLATED + 1, 2 ** 32 - 1, -1])('refuses %p bytes outright', (length) => {
    const deflated = new Proxy(Buffer.alloc(0), {
      get: () => {
        throw new Error('the bytes were looked at');
      },
    });
    expect(() => inflate(deflated, length)).toThrow(`may declare 1 to ${MAX_INFLATED} bytes`);
  });

  it.each([
    ['more', 199, 'larger than 199 bytes'],
    ['less', 201, 'declares 201 bytes and has 200'],
    ['far less', 1_000_000, 'declares 1000000 bytes and has 200'],
  ])('throws when there are %s bytes than declared', (_, length, message) => {
    expect(() => inflate(deflateRawSync(Buffer.alloc(200)), length)).toThrow(message);
  });

  it('throws for bytes that are no deflate, or not all of it', () => {
    const deflated = deflateRawSync(randomBytes(200));
    expect(() => inflate(deflated.subarray(0, 100), 200)).toThrow('unexpected end of file');
    expect(() => inflate(Buffer.alloc(0), 200)).toThrow('unexpected end of file');
    expect(() => inflate(Buffer.alloc(20, 0xff), 200)).toThrow('invalid block type');
  });

  it('stops a bomb at the bytes it declares', () => {
    const gibibyte = bomb(1024);
    const memory = process.resourceUsage().maxRSS;
    const start = performance.now();
    for (const length of [1, 1000, MiB]) expect(() => inflate(gibibyte, length)).toThrow();
    // A few ms in truth; to inflate it all would take half a second at the very least.
    expect(performance.now() - start).toBeLessThan(200);
    // maxRSS is in KiB.
    expect(process.resourceUsage().maxRSS - memory).toBeLessThan(32 * 1024);
  });
});

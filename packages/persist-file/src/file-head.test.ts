import {
  encodeHead,
  FILE_MAGIC,
  findHead,
  HEAD_OFFSETS,
  LOG_START,
  type FileHead,
} from './file-head.js';

const head: FileHead = {
  fileId: Buffer.from('12345678'),
  generation: 7,
  sealed: 2 ** 40,
  seq: 2 ** 33,
  ordinal: 4_000_000_000,
  supersededBefore: 2 ** 33 - 1,
  reach: 3,
  time: { latest: 1_700_000_000_000.5, ahead: 540_000 },
  lists: [{ seq: 2 ** 33 - 2, firstOrdinal: 5, everything: false, hashes: [1, 0xffff_ffff] }],
};

function fileWith(first: FileHead | undefined, second: FileHead | undefined): Buffer {
  const bytes = Buffer.alloc(LOG_START);
  if (first !== undefined) encodeHead(first).copy(bytes, HEAD_OFFSETS[0]);
  if (second !== undefined) encodeHead(second).copy(bytes, HEAD_OFFSETS[1]);
  return bytes;
}

describe('findHead', () => {
  it('reads what was written', () => {
    expect(findHead(fileWith(head, head))).toEqual({ kind: 'ours', head, damaged: false });
  });

  it('takes the newer head, and the other one where that is damaged', () => {
    const newer = { ...head, generation: 8, sealed: 5 };
    expect(findHead(fileWith(newer, head))).toMatchObject({ head: newer });
    const bytes = fileWith(newer, head);
    for (let at = 0; at < 92; at++) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] as number) ^ 4;
      expect(findHead(flipped)).toEqual({ kind: 'ours', head, damaged: true });
    }
  });

  it('knows another version, and what is none of ours', () => {
    const other = Buffer.alloc(100);
    FILE_MAGIC.copy(other);
    other.writeUInt16LE(2, 8);
    expect(findHead(other)).toEqual({ kind: 'other version', version: 2 });
    expect(findHead(Buffer.from('SQLite format 3\0'))).toEqual({ kind: 'alien' });
    expect(findHead(Buffer.alloc(0))).toEqual({ kind: 'alien' });
  });
});

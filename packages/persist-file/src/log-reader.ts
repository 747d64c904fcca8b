import { crc32 } from 'node:zlib';
import type { FileHandle } from 'node:fs/promises';
import {
  BLOCK_HEADER_LENGTH,
  BLOCK_MAGIC,
  blockLength,
  readBlockHeader,
  type BlockHeader,
} from './block-header.js';
import { areRecords } from './record.js';
import { decodeLists, type SupersededList } from './superseded.js';
import { Turns } from './turns.js';

/** Read at once, in bytes. */
const CHUNK = 4 * 1024 * 1024;
/** So much of one such piece may belong to a block that goes on in the next. */
const MARGIN = 256 * 1024;

/** A block whose header is right. */
export interface FoundBlock {
  readonly kind: 'block';
  readonly offset: number;
  readonly header: BlockHeader;
  /** Whether its records are right as well. */
  readonly whole: boolean;
  /** What lies at `bodyAt`; the same object for blocks that were read together. */
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly bodyAt: number;
  /** What its section says; `undefined` when that is damaged. */
  lists(): SupersededList[] | undefined;
}

/** Bytes in which there is no block. */
export interface Unreadable {
  readonly kind: 'unreadable';
  readonly offset: number;
  readonly length: number;
  /** Nothing but the beginning of a block: writing was cut off there. */
  readonly torn: boolean;
}

/** What is read. */
export interface ReadOptions {
  readonly handle: FileHandle;
  readonly fileId: Buffer;
  readonly from: number;
  readonly to: number;
  /** Blocks with a lower sequence number are none of this log: old ones that a value holds, say. */
  readonly seq?: number;
}

/**
 * Reads the blocks of a log, in order, and whatever lies between them; after damage it goes on with the
 * next header that is right.
 *
 * @throws what the system throws when it cannot read
 */
export async function* readLog(options: ReadOptions): AsyncGenerator<FoundBlock | Unreadable> {
  const { fileId, to } = options;
  const window = new Window(options.handle, options.from, to);
  const turns = new Turns();
  let seq = options.seq ?? 0;
  let at = options.from;
  /** Where what cannot be read begins; -1 while all is well. */
  let lostAt = -1;
  while (at < to) {
    if (turns.isOver) await turns.pass();
    if (!window.has(at, BLOCK_HEADER_LENGTH)) await window.load(at, BLOCK_HEADER_LENGTH);
    const header = readBlockHeader(window.bytes, window.indexOf(at), fileId);
    if (header === undefined || header.seq < seq || at + blockLength(header) > to) {
      if (lostAt < 0) lostAt = at;
      at = await nextMagic(window, at + 1, turns);
      continue;
    }
    if (lostAt >= 0) {
      yield { kind: 'unreadable', offset: lostAt, length: at - lostAt, torn: false };
      lostAt = -1;
    }
    const length = blockLength(header);
    if (!window.has(at, length)) await window.load(at, length);
    const block = foundBlock(window, at, header);
    seq = header.seq + 1;
    yield block;
    if (block.whole) {
      at += length;
    } else {
      // Its length may be right, and yet something may have been cut out: look for the next from here on.
      lostAt = at + BLOCK_HEADER_LENGTH;
      at = await nextMagic(window, lostAt, turns);
    }
  }
  if (lostAt >= 0 && lostAt < to) {
    const torn = await isTorn(window, lostAt, to, fileId, seq);
    yield { kind: 'unreadable', offset: lostAt, length: to - lostAt, torn };
  }
}

function foundBlock(window: Window, offset: number, header: BlockHeader): FoundBlock {
  const { bytes, view } = window;
  const bodyAt = window.indexOf(offset) + BLOCK_HEADER_LENGTH;
  const end = bodyAt + header.bodyLength;
  const body = bytes.subarray(bodyAt, end);
  const whole =
    crc32(body) === header.bodyCrc && areRecords(bytes, view, bodyAt, end, header.records);
  const lists = (): SupersededList[] | undefined => {
    const section = bytes.subarray(end, end + header.sectionLength);
    return crc32(section) === header.sectionCrc ? decodeLists(section, header.seq) : undefined;
  };
  return { kind: 'block', offset, header, whole, bytes, view, bodyAt, lists };
}

async function nextMagic(window: Window, from: number, turns: Turns): Promise<number> {
  let at = from;
  while (at < window.end) {
    if (!window.has(at, BLOCK_MAGIC.length)) await window.load(at, BLOCK_MAGIC.length);
    const index = window.bytes.indexOf(BLOCK_MAGIC, window.indexOf(at));
    if (index >= 0) return window.offsetOf(index);
    const seen = window.offsetOf(window.bytes.length);
    if (seen >= window.end) return window.end;
    at = Math.max(at + 1, seen - BLOCK_MAGIC.length + 1);
    await turns.pass();
  }
  return window.end;
}

/** Whether what is left is how a block begins that was not written to its end. */
async function isTorn(
  window: Window,
  at: number,
  to: number,
  fileId: Buffer,
  seq: number,
): Promise<boolean> {
  const length = Math.min(to - at, BLOCK_HEADER_LENGTH);
  await window.load(at, length);
  const index = window.indexOf(at);
  if (length === BLOCK_HEADER_LENGTH) {
    const header = readBlockHeader(window.bytes, index, fileId);
    return header?.seq === seq && at + blockLength(header) > to;
  }
  const begin = Buffer.concat([BLOCK_MAGIC, fileId]).subarray(0, length);
  return window.bytes.subarray(index, index + begin.length).equals(begin);
}

/** The part of a file that is in memory; what comes next is read while that is looked at. */
class Window {
  bytes: Buffer = NO_BYTES;
  view = viewOf(this.bytes);
  readonly end: number;
  readonly #handle: FileHandle;
  #start: number;
  #ahead: ReadAhead | undefined;

  constructor(handle: FileHandle, start: number, end: number) {
    this.#handle = handle;
    this.#start = start;
    this.end = end;
  }

  indexOf(offset: number): number {
    return offset - this.#start;
  }

  offsetOf(index: number): number {
    return this.#start + index;
  }

  /** Whether these bytes are there, as far as the file has them. */
  has(offset: number, length: number): boolean {
    if (offset < this.#start) return false;
    return this.offsetOf(this.bytes.length) >= Math.min(offset + length, this.end);
  }

  /** Reads on from `offset`; what was read before stays as it is for those who hold it. */
  async load(offset: number, length: number): Promise<void> {
    let known = this.has(offset, 1) ? this.bytes.subarray(this.indexOf(offset)) : NO_BYTES;
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (ahead?.offset === offset + known.length) known = behind(known, await ahead.room);
    const size = Math.min(length, this.end - offset);
    if (known.length < size) {
      const bytes = Buffer.allocUnsafeSlow(Math.min(Math.max(CHUNK, size), this.end - offset));
      known.copy(bytes);
      await readFully(this.#handle, bytes, known.length, offset + known.length);
      known = bytes;
    }
    this.#show(known, offset);
    this.#readAhead();
  }

  #show(bytes: Buffer, start: number): void {
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.#start = start;
  }

  #readAhead(): void {
    const offset = this.offsetOf(this.bytes.length);
    const size = Math.min(CHUNK, this.end - offset);
    if (size <= 0) return;
    const bytes = Buffer.allocUnsafeSlow(MARGIN + size);
    const room = readFully(this.#handle, bytes, MARGIN, offset).then(() => bytes);
    // Whoever comes to it is told.
    room.catch(() => undefined);
    this.#ahead = { offset, room };
  }
}

/** What is being read, behind a margin for the end of what was read before it. */
interface ReadAhead {
  readonly offset: number;
  readonly room: Promise<Buffer>;
}

const NO_BYTES: Buffer = Buffer.alloc(0);

/** What was read ahead, with `before` in front of it. */
function behind(before: Buffer, room: Buffer): Buffer {
  const start = MARGIN - before.length;
  if (start < 0) return Buffer.concat([before, room.subarray(MARGIN)]);
  before.copy(room, start);
  return room.subarray(start);
}

/** Fills `bytes` from `at` on with what is in the file from `offset` on. */
async function readFully(
  handle: FileHandle,
  bytes: Buffer,
  at: number,
  offset: number,
): Promise<void> {
  const from = at;
  while (at < bytes.length) {
    const { bytesRead } = await handle.read(bytes, at, bytes.length - at, offset + at - from);
    // Somebody made the file shorter meanwhile: zeros are no block.
    if (bytesRead === 0) {
      bytes.fill(0, at);
      return;
    }
    at += bytesRead;
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

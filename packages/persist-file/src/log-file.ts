import { randomBytes } from 'node:crypto';
import { open, stat, type FileHandle } from 'node:fs/promises';
import type { FileTime } from './file-clock.js';
import { encodeHead, HEAD_OFFSETS, HEAD_ROOM, LOG_START, type FileHead } from './file-head.js';
import { emptyTail, type LogTail } from './log-tail.js';
import { FILE_ID_LENGTH } from './block-header.js';

/** Values may be secret. */
export const FILE_MODE = 0o600;

/** Where a log ended at some time. */
export interface LogEnd {
  readonly size: number;
  readonly tail: LogTail;
}

/** The open log: bytes are added at its known good end, or not at all. */
export class LogFile {
  readonly handle: FileHandle;
  readonly fileId: Buffer;
  #size: number;
  #tail: LogTail;
  #generation: number;
  /** There may be bytes after the end. */
  #hasRest: boolean;
  /** The length that the file should have. */
  #length: number;
  /** The size that the newest head tells, as far as it was written by this process. */
  #sealed = -1;

  /**
   * @param size - where the last good block ends
   * @param length - how long the file is: what is after the end was never acknowledged
   */
  constructor(
    handle: FileHandle,
    head: { readonly fileId: Buffer; readonly generation: number },
    size: number,
    tail: LogTail,
    length: number,
  ) {
    this.handle = handle;
    this.fileId = head.fileId;
    this.#generation = head.generation;
    this.#size = size;
    this.#tail = tail;
    this.#length = length;
    this.#hasRest = length > size;
  }

  /** Creates a log without a block; it is nothing yet to who reads it, before it is sealed. */
  static async create(path: string): Promise<LogFile> {
    const handle = await open(path, 'wx+', FILE_MODE);
    const head = { fileId: randomBytes(FILE_ID_LENGTH), generation: 0 };
    return new LogFile(handle, head, LOG_START, emptyTail(), LOG_START);
  }

  /** Bytes up to the end of the last block. */
  get size(): number {
    return this.#size;
  }

  /** Bytes of the whole file, as it was left. */
  get length(): number {
    return this.#length;
  }

  get tail(): LogTail {
    return this.#tail;
  }

  /**
   * Adds blocks.
   *
   * @throws what the system throws; nothing is added then, and no part of it is left behind
   */
  async append(bytes: Buffer, tail: LogTail): Promise<void> {
    await this.#removeRest();
    try {
      await writeAll(this.handle, bytes, this.#size);
    } catch (error) {
      this.#hasRest = true;
      // Tried again before the next append where it fails now.
      await this.#removeRest().catch(() => undefined);
      throw error;
    }
    this.#size += bytes.length;
    this.#length = this.#size;
    this.#tail = tail;
  }

  async sync(): Promise<void> {
    await this.handle.datasync();
  }

  /** Where it ends now. */
  get end(): LogEnd {
    return { size: this.#size, tail: this.#tail };
  }

  /**
   * Notes that all up to some end was acknowledged, and what time it is, unless that was noted before.
   * The head that was written before stays.
   */
  async seal(time: FileTime, { size: sealed, tail }: LogEnd = this.end): Promise<void> {
    if (this.#sealed >= sealed) return;
    const { seq, ordinal, supersededBefore, recent } = tail;
    const generation = this.#generation + 1;
    const rest = { fileId: this.fileId, generation, sealed, seq, ordinal, time };
    const head: FileHead = { ...rest, supersededBefore, reach: 0, lists: [] };
    const told = { ...head, reach: recent.reachFrom(seq), lists: recent.lists };
    let bytes = encodeHead(told);
    // Lists that are too long are not told: nothing older is proved without them, should the end be lost.
    if (bytes.length > HEAD_ROOM) bytes = encodeHead(head);
    // Nothing is left of a longer one that was there; the second one ends where the log begins.
    const room = Buffer.alloc(HEAD_ROOM);
    bytes.copy(room);
    await writeAll(this.handle, room, HEAD_OFFSETS[(generation & 1) as 0 | 1]);
    this.#generation = generation;
    this.#sealed = sealed;
  }

  /** Seals even where nothing is new but the time. */
  async sealAnew(time: FileTime): Promise<void> {
    this.#sealed = -1;
    await this.seal(time);
  }

  /** Writes the first two heads. */
  async sealTwice(time: FileTime): Promise<void> {
    await this.sealAnew(time);
    await this.sealAnew(time);
  }

  /** Whether this is still the file that others find under `path`, and nobody has made it shorter. */
  async isAt(path: string): Promise<boolean> {
    const [own, found] = await Promise.all([this.handle.stat(), stat(path).catch(() => undefined)]);
    return (
      own.ino === found?.ino &&
      own.dev === found.dev &&
      own.size >= Math.min(this.#size, this.#length)
    );
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  async #removeRest(): Promise<void> {
    if (!this.#hasRest) return;
    await this.handle.truncate(this.#size);
    this.#length = this.#size;
    this.#hasRest = false;
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}

import { unlink } from 'node:fs/promises';
import { BlockWriter } from './block-writer.js';
import type { FileClock } from './file-clock.js';
import { LOG_START } from './file-head.js';
import { LogFile } from './log-file.js';
import { readLog, type FoundBlock } from './log-reader.js';
import { isDead, keyAt, keyOf, Kind, KEY_LENGTH_AT, KIND_AT } from './record.js';
import type { Move, RecordIndex } from './record-index.js';
import { hashOf } from './superseded.js';
import { Turns } from './turns.js';

/** Written at once, in bytes. */
const WRITE_SIZE = 1024 * 1024;
const NO_ORDER = new Uint32Array(0);

export interface RewriteOptions {
  /** The file as it is; `undefined` where there is none. */
  readonly source: LogFile | undefined;
  readonly index: RecordIndex;
  /** The new file, which must not exist. */
  readonly path: string;
  /** The time of the file: what is dead when it begins is not copied. */
  readonly clock: FileClock;
  /** By slot: 0 for a key that is not to be kept. */
  readonly keep?: Uint8Array;
  /** Stops it. */
  readonly signal: AbortSignal;
}

interface Dropped {
  readonly key: string;
  readonly slot: number;
  readonly ordinal: number;
}

/**
 * A new file with the records that count and nothing else. It is written beside the old one, to which
 * batches may be appended meanwhile, up to the last `catchUp`.
 */
export class Rewrite {
  readonly log: LogFile;
  readonly #options: RewriteOptions;
  readonly #now: number;
  readonly #move: Move;
  readonly #writer: BlockWriter;
  readonly #dropped: Dropped[] = [];
  #copiedTo: number;
  #copiedSeq: number | undefined;
  /** Something of what the old file held when it began could not be read. */
  #isDamaged = false;
  #lost: readonly string[] = [];
  #order: Uint32Array = NO_ORDER;
  #orderOrdinal = 0;

  private constructor(options: RewriteOptions, log: LogFile) {
    this.#options = options;
    this.#now = options.clock.now();
    this.log = log;
    this.#move = options.index.beginMove();
    this.#writer = new BlockWriter(log.fileId, log.tail, options.clock, 2 * WRITE_SIZE);
    this.#copiedTo = LOG_START;
  }

  /** Creates the new file. */
  static async begin(options: RewriteOptions): Promise<Rewrite> {
    return new Rewrite(options, await LogFile.create(options.path));
  }

  /** The new file. */
  get path(): string {
    return this.#options.path;
  }

  /** Keys whose records could not be read any more, once it is complete. */
  get lost(): readonly string[] {
    return this.#lost;
  }

  /** How many bytes of the old file are not copied yet. */
  get behind(): number {
    return (this.#options.source?.size ?? LOG_START) - this.#copiedTo;
  }

  /** Copies what the old file holds now; to be called once, first. */
  async copy(): Promise<void> {
    this.#isDamaged = !(await this.#read((block) => {
      this.#copyLive(block);
    }));
  }

  /**
   * Copies what was added since.
   *
   * @throws Error when it cannot be read: older records that it ended are copied already
   */
  async catchUp(): Promise<void> {
    const isWhole = await this.#read((block) => {
      this.#copyAll(block);
    });
    if (!isWhole) throw new Error('what was just written cannot be read');
  }

  /**
   * Writes in what order the records copied so far were used.
   *
   * @param used - slots, least recently used first; -1 for a key without a record
   */
  async writeOrder(used: Iterable<number>): Promise<void> {
    const { index } = this.#options;
    const { slots, count } = this.#move;
    const ordinals = new Uint32Array(index.slots);
    const turns = new Turns();
    for (let ordinal = 0; ordinal < count; ordinal++) {
      const slot = (slots[ordinal] as number) - 1;
      if (slot >= 0) ordinals[slot] = ordinal + 1;
    }
    const order = new Uint32Array(index.size);
    let named = 0;
    let seen = 0;
    for (const slot of used) {
      const ordinal = ordinals[slot] ?? 0;
      if (ordinal > 0 && named < order.length) order[named++] = ordinal - 1;
      if (++seen % 256 === 0 && turns.isOver) await turns.pass();
    }
    if (named === 0) return;
    this.#order = order.subarray(0, named);
    this.#orderOrdinal = this.#writer.order(this.#order).ordinal;
    await this.#append();
  }

  /**
   * Brings the new file to the disk. Called a first time before everybody has to wait for it, it leaves
   * little to do the second time.
   *
   * @throws Error when a record that counts is not in it, which would be an error of this package
   */
  async complete(): Promise<void> {
    const { index, path } = this.#options;
    if (this.behind === 0 && !index.isComplete(this.#move, this.#forgotten().length)) {
      if (!this.#isDamaged) throw new Error(`not every record that counts was copied to '${path}'`);
      this.#lost = this.#unread();
    }
    await this.log.sealTwice(this.#options.clock.time);
    await this.log.sync();
  }

  /** The new file is in the place of the old one: the index follows. */
  async adopt(): Promise<void> {
    const { index } = this.#options;
    for (const { key } of this.#forgotten()) index.remove(key);
    for (const key of this.#lost) index.remove(key);
    index.finishMove(this.#move);
    const turns = new Turns();
    let count = 0;
    for (const slot of index.inOrder(this.#order, this.#orderOrdinal, this.#move.count)) {
      index.use(slot);
      if (++count % 1024 === 0 && turns.isOver) await turns.pass();
    }
  }

  /** Leaves everything as it was. */
  async abandon(): Promise<void> {
    this.#options.index.abandonMove();
    await this.log.close().catch(() => undefined);
    await unlink(this.#options.path).catch(() => undefined);
  }

  /** @returns whether there was nothing but whole blocks */
  async #read(copy: (block: FoundBlock) => void): Promise<boolean> {
    const { source, signal } = this.#options;
    if (source === undefined) return true;
    let isWhole = true;
    const { handle, fileId, size: to } = source;
    const from = this.#copiedTo;
    const seq = this.#copiedSeq === undefined ? {} : { seq: this.#copiedSeq };
    for await (const found of readLog({ handle, fileId, from, to, ...seq })) {
      signal.throwIfAborted();
      if (found.kind === 'block') this.#copiedSeq = found.header.seq + 1;
      if (found.kind === 'block' && found.whole) copy(found);
      else isWhole = false;
      if (this.#writer.length >= WRITE_SIZE) await this.#append();
    }
    await this.#append();
    this.#copiedTo = to;
    return isWhole;
  }

  /** Of what the file held when it began, only what counts: nothing older will be left. */
  #copyLive({ header, bytes, view, bodyAt }: FoundBlock): void {
    const { index, keep } = this.#options;
    let at = bodyAt;
    for (let record = 0; record < header.records; record++) {
      const length = view.getUint32(at, true);
      const slot = index.slotAt(header.firstOrdinal + record);
      if (slot >= 0) {
        if (isDead(bytes, view, at, this.#now) || keep?.[slot] === 0) {
          const ordinal = header.firstOrdinal + record;
          this.#dropped.push({ key: keyOf(bytes, view, at), slot, ordinal });
        } else {
          const { ordinal } = this.#writer.copy(bytes, at, length, undefined);
          this.#move.note(ordinal, slot);
        }
      }
      at += length;
    }
  }

  /** What came later ends older records, which may have been copied already. */
  #copyAll({ header, bytes, view, bodyAt }: FoundBlock): void {
    const { index } = this.#options;
    let at = bodyAt;
    for (let record = 0; record < header.records; record++) {
      const length = view.getUint32(at, true);
      const kind = bytes[at + KIND_AT];
      const slot = index.slotAt(header.firstOrdinal + record);
      if (kind === Kind.Clear) {
        this.#skip(this.#writer.copy(bytes, at, length, 'everything').ordinal);
      } else if (kind === Kind.Delete || (kind === Kind.Set && slot >= 0)) {
        const start = keyAt(bytes, at);
        const end = start + view.getUint32(at + KEY_LENGTH_AT, true);
        const hash = hashOf(bytes.subarray(start, end));
        const { ordinal } = this.#writer.copy(bytes, at, length, hash);
        if (kind === Kind.Set) this.#move.note(ordinal, slot);
        else this.#skip(ordinal);
      }
      at += length;
    }
  }

  #skip(ordinal: number): void {
    this.#move.skipTo(ordinal + 1);
  }

  async #append(): Promise<void> {
    const { bytes, tail } = this.#writer.finish();
    if (bytes.length > 0) await this.log.append(bytes, tail);
    this.#move.skipTo(tail.ordinal);
    this.#writer.restart();
  }

  /** What was not copied and has no newer record. */
  #forgotten(): Dropped[] {
    const { index } = this.#options;
    return this.#dropped.filter(
      ({ key, slot, ordinal }) => index.slotOf(key) === slot && index.ordinalOf(slot) === ordinal,
    );
  }

  /** What counts and was not copied. */
  #unread(): string[] {
    const { index } = this.#options;
    const { slots, count } = this.#move;
    const isKnown = new Uint8Array(index.slots);
    for (let ordinal = 0; ordinal < count; ordinal++) {
      const slot = (slots[ordinal] as number) - 1;
      if (slot >= 0) isKnown[slot] = 1;
    }
    for (const { slot } of this.#forgotten()) isKnown[slot] = 1;
    const keys: string[] = [];
    for (let slot = 0; slot < index.slots; slot++) {
      if (index.lengthOf(slot) > 0 && isKnown[slot] === 0) keys.push(index.keyOf(slot));
    }
    return keys;
  }
}

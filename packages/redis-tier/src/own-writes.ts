import type { Commands } from './commands.js';
import { idIn } from './beginning.js';

/** What this process last put under a key: the id of the write, or nothing. */
type Mark = Buffer | 'nothing';

interface OwnWrite {
  mark: Mark;
  readonly at: number;
  /** How often the key may be named for what this process did. */
  echoes: number;
  /** Memory may hold something else: it is not what this process has put last. */
  readonly isTouch: boolean;
}

/** What becomes of keys that were heard of and looked at. */
export interface Verdicts {
  /** Somebody else has changed them since. */
  readonly foreign: (redisKeys: readonly string[]) => void;
  /** Memory may hold something older than what they hold; what loads may be as it should. */
  readonly touched: (redisKeys: readonly string[]) => void;
  /** Somebody else may have put something, and taken it away again: what is being read may be that. */
  readonly fleeting: (redisKeys: readonly string[]) => void;
}

/** Milliseconds that a write is remembered: its echo comes within a few. */
const REMEMBERED = 5000;
/** Writes remembered at most. An echo that is taken for somebody else's only costs a read. */
const MOST = 50_000;

/**
 * Tells the echo of this process's own writes from what others did. Redis names the keys that have
 * changed, not who changed them, and may name a key once for two changes; so whoever hears of a key
 * for the first time since it wrote it looks whether its own write is still there.
 */
export class OwnWrites {
  readonly #commands: Commands;
  readonly #writes = new Map<string, OwnWrite>();
  #looking: Set<string> | undefined;
  readonly #verdicts: Verdicts;

  constructor(commands: Commands, verdicts: Verdicts) {
    this.#commands = commands;
    this.#verdicts = verdicts;
  }

  /** This process writes; to be said before the command is sent. */
  wrote(key: string, mark: Mark, isTouch = false): void {
    const now = performance.now();
    const echoes = (this.#writes.get(key)?.echoes ?? 0) + 1;
    this.#writes.delete(key);
    this.#writes.set(key, { mark, at: now, echoes, isTouch });
    for (const [oldest, { at }] of this.#writes) {
      if (now - at < REMEMBERED && this.#writes.size <= MOST) break;
      this.#writes.delete(oldest);
    }
  }

  /** What stands there is about to change in its expiry only; to be said before the command is sent. */
  still(key: string, mark: Buffer): void {
    const write = this.#writes.get(key);
    if (write === undefined) this.wrote(key, mark, true);
    else if (write.mark !== 'nothing' && write.mark.equals(mark)) {
      this.wrote(key, mark, write.isTouch);
    }
  }

  /** What stands there was read, and goes into memory: if another process put it, what was written is gone. */
  saw(key: string, there: { readonly id: Buffer }): void {
    const write = this.#writes.get(key);
    if (write !== undefined && (write.mark === 'nothing' || !write.mark.equals(there.id))) {
      this.#writes.delete(key);
    }
  }

  /** What this process last put there, lately; `undefined` for nothing. */
  lastOf(key: string): Buffer | undefined {
    const mark = this.#writes.get(key)?.mark;
    return mark === 'nothing' ? undefined : mark;
  }

  /** Takes back what it last wrote, if that is what stands there. */
  tookBack(key: string, mark: Buffer): void {
    const last = this.#writes.get(key)?.mark;
    if (last !== undefined && last !== 'nothing' && last.equals(mark)) this.wrote(key, 'nothing');
  }

  /** What it wrote turned out as something else: `undefined` where the write did not happen. */
  correct(key: string, from: Mark, to: Mark | undefined): void {
    const write = this.#writes.get(key);
    if (write?.mark !== from) return;
    if (to === undefined) this.#writes.delete(key);
    else write.mark = to;
  }

  /**
   * Keys have changed, by whose hand is not said, or by another's. Those that this process has written
   * lately are looked at; the others are foreign.
   *
   * @param isEcho - whether it may be the echo of what this process did
   */
  heardOf(keys: readonly string[], isEcho: boolean): void {
    if (this.#writes.size === 0) {
      this.#verdicts.foreign(keys);
      return;
    }
    const oldest = performance.now() - REMEMBERED;
    const foreign: string[] = [];
    const doubtful: string[] = [];
    const removed: string[] = [];
    for (const key of keys) {
      const write = this.#writes.get(key);
      const mayBeOwn = isEcho && write !== undefined && write.echoes > 0;
      // One removal looks like another.
      const wasRemoved = write?.mark === 'nothing' && !mayBeOwn;
      if (write === undefined || write.at <= oldest || wasRemoved) {
        this.#writes.delete(key);
        foreign.push(key);
        continue;
      }
      // The news of what was before that write may come after it; memory does not go on meanwhile.
      if (mayBeOwn) write.echoes--;
      else doubtful.push(key);
      if (write.mark === 'nothing') removed.push(key);
      this.#lookAt(key);
    }
    if (foreign.length > 0) this.#verdicts.foreign(foreign);
    if (doubtful.length > 0) this.#verdicts.touched(doubtful);
    if (removed.length > 0) this.#verdicts.fleeting(removed);
  }

  clear(): void {
    this.#writes.clear();
  }

  #lookAt(key: string): void {
    if (this.#looking === undefined) {
      this.#looking = new Set();
      queueMicrotask(() => void this.#look());
    }
    this.#looking.add(key);
  }

  async #look(): Promise<void> {
    const keys = [...(this.#looking ?? [])];
    this.#looking = undefined;
    // The read is sent after the write: what it finds is the write, or something later.
    const writes = keys.map((key) => this.#writes.get(key));
    const expected = writes.map((write) => write?.mark);
    const heads = await this.#commands.heads(keys);
    const foreign: string[] = [];
    const touched: string[] = [];
    keys.forEach((key, at) => {
      const [head, write, now] = [heads[at], writes[at], this.#writes.get(key)];
      // A write may have learned meanwhile what became of it; one that is forgotten is taken for gone.
      const marks = now === undefined ? [] : [expected[at], write?.mark];
      if (Buffer.isBuffer(head) && marks.some((mark) => isThere(mark, head))) {
        if (write?.isTouch) touched.push(key);
        return;
      }
      if (now === write) this.#writes.delete(key);
      foreign.push(key);
    });
    if (foreign.length > 0) this.#verdicts.foreign(foreign);
    if (touched.length > 0) this.#verdicts.touched(touched);
  }
}

function isThere(mark: Mark | undefined, head: Buffer): boolean {
  if (mark === undefined) return false;
  if (mark === 'nothing') return head.length === 0;
  return idIn(head).equals(mark);
}

import { idIn } from './beginning.js';
import { headOf } from './envelope.js';
import type { InOrder } from './in-order.js';
import type { NamespaceParts } from './namespace-parts.js';
import { partsOf } from './parts.js';
import { Unsent, type ToRemove } from './unsent.js';

/** Takes values away, and remembers what Redis did not take. */
export class Removals {
  readonly unsent: Unsent;
  readonly #parts: NamespaceParts;
  readonly #inOrder: InOrder;
  /** Somebody else had put what was expired. */
  readonly #foreign: (redisKey: string) => void;

  /** @param foreign - told of a key that was expired here, and that another process had put */
  constructor(parts: NamespaceParts, inOrder: InOrder, foreign: (redisKey: string) => void) {
    this.#parts = parts;
    this.#inOrder = inOrder;
    this.#foreign = foreign;
    this.unsent = new Unsent({
      send: (removals) => this.#send(removals),
      report: (state, detail) => {
        parts.host.report(state, detail);
      },
    });
  }

  delete(key: string): Promise<void> {
    return this.#change(key, () => this.now(key));
  }

  async expire(key: string): Promise<void> {
    const { commands, host, keys, newId, ownWrites, tell } = this.#parts;
    await this.#change(key, async () => {
      const [value, word] = [keys.value(key), keys.word(key)];
      const [id, now] = [newId(), host.clock.now()];
      const own = ownWrites.lastOf(value);
      const wasOwn = (head: Buffer): boolean => own?.equals(idIn(head)) === true;
      ownWrites.wrote(value, id);
      ownWrites.wrote(word, 'nothing');
      const args = [now, headOf(id, now), ...tell({ keys: [key] })];
      const reply = await commands.run('expire', [value, keys.lock(key), word], args);
      const [before, after] = reply as [Buffer, Buffer];
      if (before.length === 0) ownWrites.correct(value, id, undefined);
      else {
        ownWrites.correct(value, id, markOf(after));
        ownWrites.correct(word, 'nothing', undefined);
      }
      // It may have expired what memory here has never held.
      if (before.length > 0 && !wasOwn(before)) this.#foreign(value);
    });
  }

  async invalidateTags(tags: readonly string[]): Promise<void> {
    // At once where it can be, so that it counts for all that is asked for later.
    const opened = this.#parts.opened();
    if (opened !== undefined) await opened;
    try {
      await this.#restamp(tags, false);
    } catch (error) {
      this.unsent.addTags(tags);
      throw error;
    }
  }

  async clear(): Promise<void> {
    const opened = this.#parts.opened();
    if (opened !== undefined) await opened;
    try {
      await this.#restamp([], true);
    } catch (error) {
      this.unsent.addAll();
      throw error;
    }
  }

  /** Runs a removal of some kind in its turn: remembered where Redis does not take it. */
  async #change(key: string, change: () => Promise<void>): Promise<void> {
    try {
      await this.#inOrder.run(this.#parts.keys.value(key), this.#parts.opened(), change);
    } catch (error) {
      this.unsent.addKeys([key]);
      throw error;
    }
  }

  /** @param isLate - memory may hold something again, of what Redis did not take then */
  async now(key: string, isLate = false): Promise<void> {
    const { commands, keys, ownWrites, tell } = this.#parts;
    const [value, word] = [keys.value(key), keys.word(key)];
    ownWrites.wrote(value, 'nothing', isLate);
    ownWrites.wrote(word, 'nothing', isLate);
    const upTo = this.unsent.latest;
    const removed = await commands.run('remove', [value, word], tell({ keys: [key] }));
    // Either of them leaves an echo.
    ownWrites.correct(removed === 0 ? value : word, 'nothing', undefined);
    this.unsent.settled(key, upTo);
  }

  async #restamp(tags: readonly string[], all: boolean): Promise<void> {
    const { keys, stamps, tell } = this.#parts;
    const named = tags.map((tag) => keys.tag(tag));
    const told = tell({ ...(tags.length > 0 && { tags }), ...(all && { all }) });
    await stamps.renew([keys.any, ...(all ? [keys.all] : []), ...named], told);
  }

  /** @throws (rejects) when some of it was not taken; what was, is settled */
  async #send({ keys, tags, all }: ToRemove): Promise<void> {
    const failures: unknown[] = [];
    const note = (error: unknown): void => void failures.push(error);
    if (tags.length > 0 || all) await this.#restamp(tags, all).catch(note);
    for (const part of partsOf(keys)) {
      await Promise.all(part.map((key) => this.now(key, true).catch(note)));
      // What is left would only wait for its turn to fail.
      if (failures.length >= part.length) break;
    }
    if (failures.length > 0) throw failures[0];
  }
}

/** What tells a write by what stands in Redis now. */
function markOf(head: Buffer): Buffer | 'nothing' {
  return head.length === 0 ? 'nothing' : idIn(head);
}

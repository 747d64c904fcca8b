import type { RecordIndex } from './record-index.js';
import { Turns } from './turns.js';

/** Up to so many keys the order is compared at every flush: it takes no time worth naming. */
const ALWAYS = 1000;
/** Above it, so many keys for each millisecond that has passed since the last time. */
const KEYS_PER_MS = 20;

/** Whether a flush may take the time to compare, and maybe to write, the order of so many keys. */
export function isWorthwhile(keys: number, sinceLast: number): boolean {
  return keys <= ALWAYS || sinceLast * KEYS_PER_MS >= keys;
}

/**
 * The records of the cache's keys, least recently used first; `undefined` when the file tells the same
 * order already.
 *
 * @param order - the slots of the cache's keys, least recently used first; -1 for one without a record
 */
export async function orderToWrite(
  order: Iterable<number>,
  index: RecordIndex,
): Promise<{ readonly ordinals: Uint32Array; readonly slots: Uint32Array } | undefined> {
  const turns = new Turns();
  const slots = new Uint32Array(index.size);
  const ordinals = new Uint32Array(index.size);
  let isSame = true;
  let last = -1;
  let count = 0;
  let seen = 0;
  for (const slot of order) {
    // A key that is told twice must not take the room of another.
    if (slot >= 0 && count < slots.length) {
      const used = index.usedAt(slot);
      if (used <= last) isSame = false;
      last = used;
      slots[count] = slot;
      ordinals[count++] = index.ordinalOf(slot);
    }
    if (++seen % 256 === 0 && turns.isOver) await turns.pass();
  }
  if (isSame) return undefined;
  return { ordinals: ordinals.subarray(0, count), slots: slots.subarray(0, count) };
}

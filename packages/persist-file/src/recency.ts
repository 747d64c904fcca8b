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
 * @param keys - as the cache has them, least recently used first
 */
export async function orderToWrite(
  keys: Iterable<string>,
  index: RecordIndex,
): Promise<{ readonly ordinals: Uint32Array; readonly slots: readonly number[] } | undefined> {
  const turns = new Turns();
  const slots: number[] = [];
  let isSame = true;
  let last = -1;
  let count = 0;
  for (const key of keys) {
    const slot = index.slotOf(key);
    if (slot !== undefined) {
      const used = index.usedAt(slot);
      if (used <= last) isSame = false;
      last = used;
      slots.push(slot);
    }
    if (++count % 256 === 0 && turns.isOver) await turns.pass();
  }
  if (isSame) return undefined;
  const ordinals = new Uint32Array(slots.length);
  for (let at = 0; at < slots.length; at++) ordinals[at] = index.ordinalOf(slots[at] as number);
  return { ordinals, slots };
}

import type { AccessTrace } from './replay.js';

const NEVER = 0xffff_ffff;

/**
 * The hits of a cache that knows what will be asked for: it lets go, or does not even take in, what is
 * asked for latest. No policy can do better.
 *
 * Belady: A study of replacement algorithms for a virtual-storage computer, 1966; with bypass.
 */
export function optimum(trace: AccessTrace, maxSize: number): number {
  if (maxSize < 1) return 0;
  const { accesses, keys } = trace;
  const next = nextUses(trace);
  /** By key: when it is asked for next; 0 for one that is not held. Accesses are counted from 1. */
  const held = new Uint32Array(keys);
  const latest = new LatestFirst(accesses.length);
  let size = 0;
  let hits = 0;
  for (let at = 0; at < accesses.length; at++) {
    const key = accesses[at] as number;
    const then = next[at] as number;
    if (held[key] !== 0) {
      hits++;
      size--;
    }
    held[key] = 0;
    if (then === NEVER) continue;
    if (size === maxSize) {
      // What was asked for since it was noted is noted anew further on.
      while (held[accesses[latest.top - 1] as number] !== latest.top) latest.pop();
      if (latest.top < then) continue;
      held[accesses[latest.top - 1] as number] = 0;
      latest.pop();
      size--;
    }
    held[key] = then;
    latest.push(then);
    size++;
  }
  return hits;
}

/** By access: the next access of the same key, counted from 1. */
function nextUses({ accesses, keys }: AccessTrace): Uint32Array {
  const next = new Uint32Array(accesses.length);
  const last = new Uint32Array(keys).fill(NEVER);
  for (let at = accesses.length - 1; at >= 0; at--) {
    const key = accesses[at] as number;
    next[at] = last[key] as number;
    last[key] = at + 1;
  }
  return next;
}

/** A heap of whole numbers, the largest on top. */
class LatestFirst {
  readonly #heap: Uint32Array;
  #size = 0;

  constructor(most: number) {
    this.#heap = new Uint32Array(most);
  }

  get top(): number {
    return this.#heap[0] as number;
  }

  push(value: number): void {
    const heap = this.#heap;
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((heap[parent] as number) >= value) break;
      heap[at] = heap[parent] as number;
      at = parent;
    }
    heap[at] = value;
  }

  pop(): void {
    const heap = this.#heap;
    const size = --this.#size;
    const value = heap[size] as number;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && (heap[child + 1] as number) > (heap[child] as number)) child++;
      if ((heap[child] as number) <= value) break;
      heap[at] = heap[child] as number;
      at = child;
    }
    heap[at] = value;
  }
}

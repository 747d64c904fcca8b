import { grownLength, uint32Column } from './column.js';
import type { PolicyFactory, PolicyLimits, StorePolicy } from './policy.js';

/** The policy `'lru'` as a factory, for whoever builds on it. */
export function lru(): PolicyFactory {
  return (limits) => new LruPolicy(limits);
}

/**
 * Strict least-recently-used: a ring of slots in one typed array, the root in slot 0, so that
 * neither a use nor an eviction makes an object.
 */
export class LruPolicy implements StorePolicy {
  readonly knowsKeys = false;
  readonly admitsAll = true;
  /** Per slot the older neighbour, then the newer one. The root's neighbours are newest and oldest. */
  #links: Uint32Array = new Uint32Array(32);
  readonly #mostSlots: number;

  constructor({ maxSize }: Pick<PolicyLimits, 'maxSize'>) {
    // Slot 0 is the root, and a new entry comes in before the one that makes room goes.
    this.#mostSlots = maxSize + 2;
  }

  add(slot: number): void {
    if (slot * 2 + 1 >= this.#links.length) this.#grow(slot);
    this.#linkAsNewest(slot);
  }

  use(slot: number): void {
    const links = this.#links;
    if (links[0] === slot) return;
    const older = links[slot * 2] as number;
    const newer = links[slot * 2 + 1] as number;
    links[older * 2 + 1] = newer;
    links[newer * 2] = older;
    this.#linkAsNewest(slot);
  }

  remove(slot: number): void {
    const links = this.#links;
    const older = links[slot * 2] as number;
    const newer = links[slot * 2 + 1] as number;
    links[older * 2 + 1] = newer;
    links[newer * 2] = older;
  }

  victim(): number {
    return this.#links[1] as number;
  }

  *order(): Generator<number> {
    for (let slot = this.victim(); slot !== 0; slot = this.#links[slot * 2 + 1] as number) {
      yield slot;
    }
  }

  clear(): void {
    this.#links = new Uint32Array(32);
  }

  #linkAsNewest(slot: number): void {
    const links = this.#links;
    const newest = links[0] as number;
    links[slot * 2] = newest;
    links[slot * 2 + 1] = 0;
    links[newest * 2 + 1] = slot;
    links[0] = slot;
  }

  #grow(slot: number): void {
    const slots = Math.max(16, slot + 1, grownLength(this.#links.length / 2, this.#mostSlots));
    const links = uint32Column(slots * 2);
    links.set(this.#links);
    this.#links = links;
  }
}

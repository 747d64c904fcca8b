import { float64Column, uint32Column, uint8Column } from './column.js';

/** Three lists of slots, each in order of use. */
export const Segment = { Window: 0, Probation: 1, Protected: 2 } as const;
export type Segment = (typeof Segment)[keyof typeof Segment];

const ROOTS = 3;

/**
 * Slots in three lists, in one typed array: the roots of the lists first, then the slots. Each list is a
 * ring, so that no end is a special case.
 */
export class Segments {
  /** Per node the older neighbour, then the newer one. */
  #links: Uint32Array = new Uint32Array(0);
  #segments: Uint8Array = new Uint8Array(0);
  #weights: Float64Array | undefined;
  /** What each list weighs. */
  readonly held: [number, number, number] = [0, 0, 0];
  /** Slots in all three. */
  size = 0;

  constructor(isWeighted: boolean) {
    if (isWeighted) this.#weights = new Float64Array(0);
    this.clear();
  }

  segmentOf(slot: number): Segment {
    return this.#segments[slot + ROOTS] as Segment;
  }

  weightOf(slot: number): number {
    return this.#weights === undefined ? 1 : (this.#weights[slot + ROOTS] as number);
  }

  /** The oldest of a list; -1 where it is empty. */
  oldest(segment: Segment): number {
    return (this.#links[segment * 2 + 1] as number) - ROOTS;
  }

  newest(segment: Segment): number {
    return (this.#links[segment * 2] as number) - ROOTS;
  }

  /** Takes in a slot that is in no list, as the newest. */
  add(slot: number, segment: Segment, weight: number): void {
    if (slot + ROOTS >= this.#segments.length) this.#grow(slot);
    if (this.#weights !== undefined) this.#weights[slot + ROOTS] = weight;
    this.size++;
    this.#link(slot + ROOTS, segment, this.#links[segment * 2] as number);
  }

  remove(slot: number): void {
    this.size--;
    this.#unlink(slot + ROOTS);
  }

  /** Makes a slot the newest of a list. */
  toNewest(slot: number, segment: Segment): void {
    const node = slot + ROOTS;
    const links = this.#links;
    const newest = links[segment * 2] as number;
    if (newest === node) return;
    if (this.#segments[node] !== segment) {
      this.#unlink(node);
      this.#link(node, segment, links[segment * 2] as number);
      return;
    }
    // Within a list nothing is weighed: most hits come here.
    const older = links[node * 2] as number;
    const newer = links[node * 2 + 1] as number;
    links[older * 2 + 1] = newer;
    links[newer * 2] = older;
    links[node * 2] = newest;
    links[node * 2 + 1] = segment;
    links[newest * 2 + 1] = node;
    links[segment * 2] = node;
  }

  toOldest(slot: number, segment: Segment): void {
    this.#unlink(slot + ROOTS);
    this.#link(slot + ROOTS, segment, segment);
  }

  weigh(slot: number, weight: number): void {
    if (this.#weights === undefined) return;
    this.held[this.segmentOf(slot)] += weight - this.weightOf(slot);
    this.#weights[slot + ROOTS] = weight;
  }

  /** The slots of a list, the oldest first. */
  *order(segment: Segment): Generator<number> {
    let node = this.#links[segment * 2 + 1] as number;
    for (; node >= ROOTS; node = this.#links[node * 2 + 1] as number) yield node - ROOTS;
  }

  clear(): void {
    const nodes = 16;
    this.#links = new Uint32Array(nodes * 2);
    this.#segments = new Uint8Array(nodes);
    if (this.#weights !== undefined) this.#weights = new Float64Array(nodes);
    for (let root = 0; root < ROOTS; root++) this.#links.fill(root, root * 2, root * 2 + 2);
    this.held.fill(0);
    this.size = 0;
  }

  #unlink(node: number): void {
    const links = this.#links;
    const older = links[node * 2] as number;
    const newer = links[node * 2 + 1] as number;
    links[older * 2 + 1] = newer;
    links[newer * 2] = older;
    this.held[this.#segments[node] as Segment] -= this.weightOf(node - ROOTS);
  }

  /** Puts a node in a list, behind one that is there or its root. */
  #link(node: number, segment: Segment, older: number): void {
    const links = this.#links;
    const newer = links[older * 2 + 1] as number;
    links[node * 2] = older;
    links[node * 2 + 1] = newer;
    links[older * 2 + 1] = node;
    links[newer * 2] = node;
    this.#segments[node] = segment;
    this.held[segment] += this.weightOf(node - ROOTS);
  }

  #grow(slot: number): void {
    const nodes = Math.max(slot + ROOTS + 1, this.#segments.length * 2);
    const links = uint32Column(nodes * 2);
    links.set(this.#links);
    this.#links = links;
    const segments = uint8Column(nodes);
    segments.set(this.#segments);
    this.#segments = segments;
    if (this.#weights === undefined) return;
    const weights = float64Column(nodes);
    weights.set(this.#weights);
    this.#weights = weights;
  }
}

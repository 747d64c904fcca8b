const NONE: readonly string[] = [];

/** Which entries carry which tags, both ways; empty and free of cost while nothing is tagged. */
export class TagIndex {
  readonly #tagsOfSlot = new Map<number, readonly string[]>();
  readonly #slotsOfTag = new Map<string, Set<number>>();

  get isEmpty(): boolean {
    return this.#tagsOfSlot.size === 0;
  }

  add(slot: number, given: readonly string[]): void {
    const tags = [...given];
    this.#tagsOfSlot.set(slot, tags);
    for (const tag of tags) {
      const slots = this.#slotsOfTag.get(tag);
      if (slots === undefined) this.#slotsOfTag.set(tag, new Set([slot]));
      else slots.add(slot);
    }
  }

  remove(slot: number): void {
    if (this.#tagsOfSlot.size === 0) return;
    const tags = this.#tagsOfSlot.get(slot);
    if (tags === undefined) return;
    this.#tagsOfSlot.delete(slot);
    for (const tag of tags) {
      const slots = this.#slotsOfTag.get(tag);
      if (slots === undefined) continue;
      slots.delete(slot);
      if (slots.size === 0) this.#slotsOfTag.delete(tag);
    }
  }

  of(slot: number): readonly string[] {
    return this.#tagsOfSlot.get(slot) ?? NONE;
  }

  slotsWith(tags: readonly string[]): number[] {
    const found = new Set<number>();
    for (const tag of tags) {
      for (const slot of this.#slotsOfTag.get(tag) ?? []) found.add(slot);
    }
    return [...found];
  }

  clear(): void {
    this.#tagsOfSlot.clear();
    this.#slotsOfTag.clear();
  }
}

import type { Labelled } from './observed.js';

/** Numbers by their names. */
export type Numbers = Readonly<Record<string, number>>;

/** What a subject counts just now. Counters may start again at 0; `levels` go up and down. */
export interface Snapshot {
  readonly counters: Numbers;
  readonly levels: Numbers;
}

/** A label, whoever has it: what was counted under it stays with it. */
export interface Place {
  readonly label: string;
}

/** What is shown of one subject: its counters never go down. */
export interface Reading extends Snapshot {
  readonly place: Place;
}

/** A place, and what was counted there. */
interface Slot<S extends object> extends Place {
  holder: WeakRef<S> | undefined;
  totals: Record<string, number>;
}

/** What is known of a subject. */
interface Known<S extends object> {
  slot: Slot<S>;
  /** What it counted when it was read last. */
  last: Numbers;
}

interface TotalsParts<S> {
  /** The subjects of now. */
  subjects(): readonly Labelled<S>[];
  nameOf(subject: S): string;
  snapshot(subject: S): Snapshot;
  /** A subject has a place for the first time. */
  appeared?(subject: S, place: Place): void;
  readonly most: number;
  /** More subjects than there may be labels; told once. */
  overflow(label: string): void;
}

/**
 * Counters that never go down, of subjects whose own may start again at 0. Each subject has a label of
 * its own: the second of a name is `name#2`. A label whose subject is gone may pass on to another one.
 */
export class Totals<S extends object> {
  readonly #parts: TotalsParts<S>;
  readonly #slots = new Map<string, Slot<S>>();
  readonly #known = new WeakMap<S, Known<S>>();
  #hasOverflown = false;

  constructor(parts: TotalsParts<S>) {
    this.#parts = parts;
  }

  /** Gives the subjects of now their places, and reads none. */
  enter(): void {
    for (const [subject, given] of this.#subjects()) this.#placed(subject, given);
  }

  /** Reads every subject. One that fails is left out. */
  collect(): readonly Reading[] {
    const readings: Reading[] = [];
    for (const [subject, given] of this.#subjects()) {
      const reading = this.#read(subject, given);
      if (reading !== undefined) readings.push(reading);
    }
    return readings;
  }

  /** Each once, with the label it was given; places of those that are gone are free. */
  #subjects(): ReadonlyMap<S, string | undefined> {
    const subjects = new Map<S, string | undefined>();
    for (const [label, subject] of this.#parts.subjects()) {
      if (!subjects.has(subject)) subjects.set(subject, label);
    }
    for (const slot of this.#slots.values()) {
      const holder = slot.holder?.deref();
      if (holder === undefined || !subjects.has(holder)) slot.holder = undefined;
    }
    return subjects;
  }

  /** The place of a subject that is shown. */
  placeOf(subject: S): Place | undefined {
    const slot = this.#known.get(subject)?.slot;
    return slot?.holder?.deref() === subject ? slot : undefined;
  }

  #read(subject: S, given: string | undefined): Reading | undefined {
    let snapshot: Snapshot;
    try {
      snapshot = this.#parts.snapshot(subject);
    } catch {
      return undefined;
    }
    const known = this.#placed(subject, given);
    if (known === undefined) return undefined;
    const { last, slot } = known;
    const { levels } = snapshot;
    const counters = sound(snapshot.counters, last);
    // All of them start again at once: one that is lower tells it of those that have grown past.
    const isAnew = Object.entries(last).some(([name, before]) => (counters[name] ?? 0) < before);
    for (const [name, now] of Object.entries(counters)) {
      const before = isAnew ? 0 : (last[name] ?? 0);
      slot.totals[name] = (slot.totals[name] ?? 0) + now - before;
    }
    known.last = counters;
    return { place: slot, counters: { ...slot.totals }, levels };
  }

  #placed(subject: S, given: string | undefined): Known<S> | undefined {
    const known = this.#known.get(subject);
    if (known?.slot.holder?.deref() === subject) return known;
    const slot = this.#freeSlot(given ?? this.#parts.nameOf(subject));
    if (slot === undefined) return undefined;
    slot.holder = new WeakRef(subject);
    // One that had gone and came back was counted up to then, unless its label had to make room.
    const wasKept = known !== undefined && this.#slots.get(known.slot.label) === known.slot;
    const anew = { slot, last: wasKept ? known.last : {} };
    this.#known.set(subject, anew);
    if (known === undefined) this.#parts.appeared?.(subject, slot);
    return anew;
  }

  #freeSlot(name: string): Slot<S> | undefined {
    for (let nth = 1; ; nth++) {
      const label = nth === 1 ? name : `${name}#${nth}`;
      const slot = this.#slots.get(label);
      if (slot === undefined) return this.#newSlot(label);
      if (slot.holder === undefined) return slot;
    }
  }

  #newSlot(label: string): Slot<S> | undefined {
    if (this.#slots.size >= this.#parts.most && !this.#dropUnused()) {
      if (!this.#hasOverflown) this.#parts.overflow(label);
      this.#hasOverflown = true;
      return undefined;
    }
    const slot: Slot<S> = { label, holder: undefined, totals: {} };
    this.#slots.set(label, slot);
    return slot;
  }

  /** Makes room for a label where one is not used any more. */
  #dropUnused(): boolean {
    for (const [label, { holder }] of this.#slots) {
      if (holder === undefined) return this.#slots.delete(label);
    }
    return false;
  }
}

/** The counters, where one that is no number counts as unchanged. */
function sound(counters: Numbers, last: Numbers): Numbers {
  const entries = Object.entries(counters);
  if (entries.every(([, now]) => Number.isFinite(now))) return counters;
  return Object.fromEntries(
    entries.map(([name, now]) => [name, Number.isFinite(now) ? now : (last[name] ?? 0)]),
  );
}

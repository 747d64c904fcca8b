import type { Backend } from './settings.js';
import { wallTime, type Time } from './time.js';

/** What the database has under an id. */
export interface Item {
  readonly text: string;
  /** Which load brought it; 0 for what was set by hand. */
  readonly load: number;
}

/** One call of the database. */
export interface LoadRecord {
  readonly load: number;
  readonly ids: readonly string[];
  /** The call of the cache that began it, where one did. */
  readonly call: number | undefined;
  readonly start: number;
  end: number | undefined;
  failed: boolean;
}

/** A database of the imagination: it has everything, takes its time, and fails as often as it is told to. */
export class Source {
  backend: Backend;
  loads = 0;
  /** Is told of each load when it begins, and again when it ends. */
  watch: ((record: LoadRecord) => void) | undefined;

  readonly #time: Time;
  readonly #random: () => number;
  #gate: Promise<void> | undefined;

  constructor(backend: Backend, time: Time = wallTime, random: () => number = Math.random) {
    this.backend = backend;
    this.#time = time;
    this.#random = random;
  }

  /** One item. */
  async find(id: string, call?: number): Promise<Item> {
    const [item] = await this.findMany([id], call);
    return item as Item;
  }

  /** @returns an item for each id, in their order */
  async findMany(ids: readonly string[], call?: number): Promise<Item[]> {
    const load = ++this.loads;
    const start = this.#time.now();
    const record: LoadRecord = { load, ids, call, start, end: undefined, failed: false };
    this.watch?.(record);
    const fails = this.#random() < this.backend.failures;
    if (this.backend.latency > 0) await this.#time.sleep(this.backend.latency);
    await this.#gate;
    record.end = this.#time.now();
    record.failed = fails;
    this.watch?.(record);
    if (fails) throw new Error(`the database is down (load ${load})`);
    return ids.map((id) => ({ text: `${id}, from load ${load}`, load }));
  }

  /** Lets no load end before the function that it returns is called. */
  hold(): () => void {
    let release = (): void => undefined;
    this.#gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    return () => {
      this.#gate = undefined;
      release();
    };
  }
}

/** By which the items can be invalidated together. */
export function tagsOf(id: string): string[] {
  const number = /\d+$/.exec(id);
  if (number === null) return ['named'];
  return [Number(number[0].slice(-1)) % 2 === 0 ? 'even' : 'odd'];
}

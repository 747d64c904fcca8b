import type { ReadStatus } from '@acache/core';
import type { Item, LoadRecord } from './source.js';

/** How a call ended. */
export type CallStatus = ReadStatus | 'error';

/** One call of a burst. Times are milliseconds since the burst began. */
export interface BurstCall {
  readonly call: number;
  readonly id: string;
  readonly start: number;
  readonly end: number;
  readonly status: CallStatus;
  /** The load that brought its value; 0 where none did. */
  readonly load: number;
}

export interface BurstLoad {
  readonly load: number;
  readonly ids: readonly string[];
  readonly start: number;
  readonly end: number | null;
  readonly failed: boolean;
}

/** What happened in a burst: who loaded, and who joined. */
export interface Burst {
  readonly title: string;
  readonly duration: number;
  /** The first ones. */
  readonly calls: readonly BurstCall[];
  /** How all calls were answered. */
  readonly counts: Readonly<Partial<Record<CallStatus, number>>>;
  readonly loads: readonly BurstLoad[];
  /** Calls that were made beyond those that are shown. */
  readonly unshown: number;
}

/** More than this nobody can look at. */
const MOST_CALLS = 200;

/** Notes the calls of a burst, and the loads that they caused. */
export class BurstRecorder {
  readonly #title: string;
  readonly #startedAt: number;
  /** Milliseconds for which what was loaded is fresh. */
  readonly #ttl: number;
  readonly #calls: BurstCall[] = [];
  readonly #loads = new Map<number, LoadRecord>();
  readonly #counts: Partial<Record<CallStatus, number>> = {};
  #begun = 0;
  #unshown = 0;
  #end = 0;

  constructor(title: string, startedAt: number, ttl: number) {
    this.#title = title;
    this.#startedAt = startedAt;
    this.#ttl = ttl;
  }

  noteLoad(record: LoadRecord): void {
    if (this.#loads.size < MOST_CALLS || this.#loads.has(record.load)) {
      this.#loads.set(record.load, record);
    }
  }

  /** A call begins. @returns which one of the burst it is, from 1 on */
  begin(): number {
    return ++this.#begun;
  }

  /**
   * A call has ended.
   *
   * @param known - the loads of late, by their number
   */
  noteCall(
    call: { order: number; number: number; id: string; start: number; end: number },
    outcome: { item?: Item | undefined; status?: ReadStatus | undefined },
    known: ReadonlyMap<number, LoadRecord>,
  ): CallStatus {
    const { item } = outcome;
    const status = outcome.status ?? this.#statusOf(call, item, known);
    this.#end = Math.max(this.#end, call.end);
    if (call.order <= MOST_CALLS) {
      this.#calls.push({
        call: call.order,
        id: call.id,
        start: call.start - this.#startedAt,
        end: call.end - this.#startedAt,
        status,
        load: item?.load ?? 0,
      });
    } else {
      this.#unshown++;
    }
    this.#counts[status] = (this.#counts[status] ?? 0) + 1;
    return status;
  }

  burst(): Burst {
    const since = (at: number): number => at - this.#startedAt;
    return {
      title: this.#title,
      duration: since(this.#end),
      // They end in another order than they begin.
      calls: this.#calls.sort((one, other) => one.call - other.call),
      counts: this.#counts,
      loads: [...this.#loads.values()].map(({ load, ids, start, end, failed }) => ({
        load,
        ids: ids.slice(0, 20),
        start: since(start),
        end: end === undefined ? null : since(end),
        failed,
      })),
      unshown: this.#unshown,
    };
  }

  /** A decorated function does not say how it answered, but the value says which load it is from. */
  #statusOf(
    call: { number: number; start: number },
    item: Item | undefined,
    known: ReadonlyMap<number, LoadRecord>,
  ): CallStatus {
    if (item === undefined) return 'error';
    const load = known.get(item.load);
    if (load?.end === undefined) return 'hit';
    if (load.call === call.number) return 'miss';
    if (load.end > call.start) return 'joined';
    if (call.start - load.end < this.#ttl) return 'hit';
    const own = [...this.#loads.values()].find((record) => record.call === call.number);
    return own?.failed === true && own.end !== undefined ? 'error-stale' : 'stale';
  }
}

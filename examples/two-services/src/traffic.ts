import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceProcess } from './service-process.js';
import type { Shop } from './steps.js';

/** How the requests went that were sent since someone last asked. */
export interface Played {
  readonly requests: number;
  readonly failures: readonly unknown[];
  /** Answers older than a change that was acknowledged before the request was sent. */
  readonly old: number;
  /** Those of them that were sent after the news must have come. */
  readonly tooOld: number;
  /** How long after the acknowledgement the last such request was sent, in milliseconds. */
  readonly oldFor: number;
  /** What the slowest answer took, in milliseconds. */
  readonly slowest: number;
}

interface Change {
  readonly version: number;
  readonly at: number;
}

/** Visitors who ask both services for products all the while, and look at what they get. */
export class Traffic implements AsyncDisposable {
  readonly #shop: Shop;
  readonly #visitors: Promise<void>[];
  readonly #acknowledged = new Map<string, Change>();
  readonly #patience: number;
  #isOver = false;
  #played = fresh();

  /** @param patience - milliseconds that the news of a change may take */
  constructor(shop: Shop, patience: number, visitors = 12) {
    this.#shop = shop;
    this.#patience = patience;
    this.#visitors = Array.from({ length: visitors }, (_, nth) => this.#visit(nth));
  }

  /** Whoever asks from now on must get what the database has now. */
  acknowledge(): void {
    const at = performance.now();
    for (const { id, version } of this.#shop.database.products) {
      if (this.#acknowledged.get(id)?.version !== version) {
        this.#acknowledged.set(id, { version, at });
      }
    }
  }

  /** What happened since this was last asked. */
  take(): Played {
    const played = this.#played;
    this.#played = fresh();
    return played;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#visitors);
  }

  async #visit(nth: number): Promise<void> {
    const { a, b, database } = this.#shop;
    const service = nth % 2 === 0 ? a : b;
    const ids = database.products.map(({ id }) => id);
    for (let turn = 7 * nth; !this.#isOver; turn++) {
      await this.#ask(service, ids[turn % ids.length] as string);
      await sleep(4);
    }
  }

  async #ask(service: ServiceProcess, id: string): Promise<void> {
    const known = this.#acknowledged.get(id);
    const sentAt = performance.now();
    try {
      const { version } = await service.product(id);
      if (known !== undefined && version < known.version) this.#sawOld(sentAt - known.at);
    } catch (error) {
      this.#played.failures.push(error);
    }
    this.#played.requests++;
    this.#played.slowest = Math.max(this.#played.slowest, performance.now() - sentAt);
  }

  #sawOld(after: number): void {
    this.#played.old++;
    if (after > this.#patience) this.#played.tooOld++;
    this.#played.oldFor = Math.max(this.#played.oldFor, after);
  }
}

function fresh() {
  return { requests: 0, failures: [] as unknown[], old: 0, tooOld: 0, oldFor: 0, slowest: 0 };
}

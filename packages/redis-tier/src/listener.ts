import type { Redis } from 'ioredis';
import { isOutage, isReply } from './failures.js';
import { endSilentHandshakes } from './handshake.js';
import { Timeouts } from './timeouts.js';

export interface ListenerOptions {
  readonly client: Redis;
  /** Milliseconds that an answer vouches for the link. */
  readonly staleness: number;
  /** Asks the server to tell of changes; rejects with its reply where it refuses. */
  readonly subscribe: (client: Redis) => Promise<unknown>;
  /** Resolves once the link is proved to hear what is written; tried again when it rejects. */
  readonly prove: () => Promise<unknown>;
  readonly heard: (payload: unknown) => void;
  /** It hears everything from now on, and did not before. */
  readonly opened: () => void;
  /** Until when it vouches has changed. */
  readonly vouched: () => void;
  /** It may miss something from now on. */
  readonly lost: (reason: string) => void;
  /** The server will not tell. */
  readonly refused: (error: Error) => void;
}

/** Milliseconds within which a connection must have come to hear. */
const OPEN_WITHIN = 2000;
/** Milliseconds before a proof is tried again. */
const PROVE_AGAIN = 250;
/** Proofs in vain after which another connection is tried: this one may lead to another server. */
const MOST_PROOFS = 4;

/**
 * One connection that hears of changes, opened anew whenever it is lost. An answer to a ping proves
 * that all that the server told before has arrived; so the link is trusted for `staleness` from when
 * the last answered ping was sent.
 */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #timeouts = new Timeouts(OPEN_WITHIN);
  /** Counts connections, so that what an older one waited for does nothing any more. */
  #epoch = 0;
  #isOpen = false;
  /** The server has agreed to tell; from then on a connection only has to prove itself. */
  #isSubscribed = false;
  #isStopped = false;
  #trustedUntil = -Infinity;
  #beats: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
    const { client } = options;
    // What was lost is told by the end of the connection that follows.
    client.on('error', () => undefined);
    endSilentHandshakes(client);
    client.on('messageBuffer', (_channel: Buffer, payload: unknown) => {
      options.heard(payload);
    });
    client.on('ready', () => void this.#open());
    client.on('close', () => {
      this.#isSubscribed = false;
      this.#lose('closed');
    });
  }

  /** Until when it vouches that it has heard of every change, on the monotonic clock. */
  get trustedUntil(): number {
    return this.#trustedUntil;
  }

  start(): void {
    this.#options.client.connect().catch(() => undefined);
  }

  /** It must prove itself anew: what is written may go elsewhere than where it listens. */
  doubt(): void {
    // One that is being opened proves itself in the end anyway.
    if (!this.#isSubscribed) return;
    this.#lose('doubted');
    void this.#prove(this.#epoch);
  }

  stop(): void {
    this.#isStopped = true;
    this.#lose('stopped');
    this.#options.client.disconnect();
  }

  async #open(): Promise<void> {
    if (this.#isStopped) return;
    const epoch = ++this.#epoch;
    const { client, subscribe, refused } = this.#options;
    this.#deadline = setTimeout(() => {
      this.#reconnect('silent');
    }, OPEN_WITHIN);
    try {
      await subscribe(client);
      this.#isSubscribed = true;
    } catch (error) {
      clearTimeout(this.#deadline);
      if (!this.#isCurrent(epoch)) return;
      if (isReply(error) && !isOutage(error)) refused(error);
      else this.#reconnect('unanswered');
      return;
    }
    clearTimeout(this.#deadline);
    await this.#prove(epoch);
  }

  async #prove(epoch: number): Promise<void> {
    const { client, prove, staleness, opened, vouched } = this.#options;
    for (let proofs = 1; this.#isCurrent(epoch); proofs++) {
      const sentAt = performance.now();
      try {
        await Promise.all([this.#timeouts.within(client.ping()), prove()]);
        if (!this.#isCurrent(epoch)) return;
        this.#isOpen = true;
        opened();
        this.#trustedUntil = sentAt + staleness;
        vouched();
        this.#beat();
        return;
      } catch {
        if (!this.#isCurrent(epoch)) return;
        if (proofs % MOST_PROOFS === 0) {
          this.#reconnect('unproved');
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, PROVE_AGAIN).unref());
      }
    }
  }

  #beat(): void {
    clearInterval(this.#beats);
    const { client, staleness, vouched } = this.#options;
    const epoch = this.#epoch;
    let unansweredSince = Infinity;
    const isSilent = (): boolean =>
      epoch === this.#epoch && performance.now() - unansweredSince >= staleness;
    this.#beats = setInterval(
      () => {
        // After a turn that blocked, the answer may have come and not been read yet.
        if (isSilent()) setImmediate(() => isSilent() && this.#reconnect('silent'));
        const sentAt = performance.now();
        unansweredSince = Math.min(unansweredSince, sentAt);
        client.ping().then(
          () => {
            unansweredSince = Infinity;
            if (epoch !== this.#epoch) return;
            this.#trustedUntil = sentAt + staleness;
            vouched();
          },
          () => undefined,
        );
      },
      Math.max(5, staleness / 4),
    );
    this.#beats.unref();
  }

  #reconnect(reason: string): void {
    this.#lose(reason);
    this.#options.client.disconnect(true);
  }

  #lose(reason: string): void {
    this.#epoch++;
    clearTimeout(this.#deadline);
    clearInterval(this.#beats);
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#trustedUntil = -Infinity;
    this.#options.vouched();
    this.#options.lost(reason);
  }

  #isCurrent(epoch: number): boolean {
    return !this.#isStopped && epoch === this.#epoch;
  }
}

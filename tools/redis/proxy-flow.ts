import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
// Not the globals: a test that fakes time must not stop the network.
import { clearTimeout, setImmediate, setTimeout } from 'node:timers';

/** What happens to bytes on their way. */
export interface Shape {
  /** Milliseconds that each byte takes longer. @defaultValue `0` */
  readonly lag?: number;
  /** At most so many bytes arrive at once; 1 takes every reply apart. @defaultValue all that came together */
  readonly chunk?: number;
  /** @defaultValue as fast as it goes */
  readonly bytesPerSecond?: number;
}

/** Pass on, keep until later, or lose. */
export type Mode = 'pass' | 'hold' | 'swallow';

/** What arrives at the other end: bytes, the end of the stream, or that the socket is gone. */
type Arrival = Buffer | 'end' | 'close';

/** One direction of a connection: reads one socket, and writes into the other when it is time. */
export class ProxyFlow {
  shape: Shape;
  #mode: Mode;
  #hasLost = false;
  #lastDue = 0;
  #timer: NodeJS.Timeout | undefined;
  #isTurning = false;
  readonly #queue: { what: Arrival; due: number }[] = [];
  readonly #to: Socket;

  constructor(from: Socket, to: Socket, { shape, mode }: { shape: Shape; mode: Mode }) {
    this.shape = shape;
    this.#mode = mode;
    this.#to = to;
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.on('end', () => this.#take('end'));
    from.on('close', () => this.#take('close'));
    // What follows an error is 'close'.
    from.on('error', () => undefined);
  }

  /** Whether bytes were swallowed: what comes after them would make no sense. */
  get hasLost(): boolean {
    return this.#hasLost;
  }

  set mode(mode: Mode) {
    this.#mode = mode;
    if (mode === 'swallow') {
      this.#hasLost ||= this.#queue.length > 0;
      this.#queue.length = 0;
    }
    this.#deliver();
  }

  #take(what: Arrival): void {
    if (this.#mode === 'swallow') {
      this.#hasLost = true;
      return;
    }
    const { lag = 0, bytesPerSecond = Infinity } = this.shape;
    for (const piece of this.#cut(what)) {
      const travel = typeof piece === 'string' ? 0 : (piece.length * 1000) / bytesPerSecond;
      const due = Math.max(this.#lastDue, performance.now() + lag) + travel;
      this.#lastDue = due;
      this.#queue.push({ what: piece, due });
    }
    this.#deliverNextTurn();
  }

  #cut(what: Arrival): Arrival[] {
    if (typeof what === 'string') return [what];
    const { chunk = Infinity, bytesPerSecond = Infinity } = this.shape;
    const size = Math.max(1, Math.min(chunk, Math.ceil(bytesPerSecond / 100), what.length));
    return Array.from({ length: Math.ceil(what.length / size) }, (_, index) =>
      what.subarray(index * size, (index + 1) * size),
    );
  }

  /** Writes the next piece when it is due. */
  #deliver(): void {
    const next = this.#queue[0];
    if (!next || this.#mode !== 'pass' || this.#isTurning) return;
    clearTimeout(this.#timer);
    const wait = next.due - performance.now();
    if (wait > 0) {
      this.#timer = setTimeout(() => this.#deliver(), Math.ceil(wait));
      return;
    }
    this.#queue.shift();
    if (next.what === 'close') this.#to.destroySoon();
    else if (next.what === 'end') this.#to.end();
    else if (this.#to.writable) this.#to.write(next.what);
    this.#deliverNextTurn();
  }

  /** Pieces that are written in one turn of the event loop would arrive as one. */
  #deliverNextTurn(): void {
    if (this.#isTurning) return;
    this.#isTurning = true;
    setImmediate(() => {
      this.#isTurning = false;
      this.#deliver();
    });
  }
}

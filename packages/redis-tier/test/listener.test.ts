import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import { nextTurn } from '../../../tools/testing/deferred.js';
import { Listener } from '../src/listener.js';

/** A connection that answers pings when it is told to. */
class FakeClient extends EventEmitter {
  readonly #pings: (() => void)[] = [];

  ping(): Promise<void> {
    return new Promise((resolve) => this.#pings.push(resolve));
  }

  async answerPings(): Promise<void> {
    for (const answer of this.#pings.splice(0)) answer();
    await nextTurn();
  }

  async connect(): Promise<void> {}
  disconnect(): void {}
}

describe('Listener', () => {
  it('proves itself anew where it is doubted while it does so', async () => {
    const client = new FakeClient();
    const nothing = (): void => undefined;
    const prove = jest.fn(async () => {});
    const opened = jest.fn();
    const listener = new Listener({
      client: client as unknown as Redis,
      staleness: 60_000,
      subscribe: async () => {},
      prove,
      heard: nothing,
      opened,
      vouched: nothing,
      lost: nothing,
      refused: nothing,
    });
    client.emit('ready');
    await nextTurn();
    expect(prove).toHaveBeenCalledTimes(1);
    listener.doubt();
    expect(listener.trustedUntil).toBe(-Infinity);
    await client.answerPings();
    expect(prove).toHaveBeenCalledTimes(2);
    expect(opened).toHaveBeenCalledTimes(1);
    expect(listener.trustedUntil).toBeGreaterThan(performance.now());
    listener.stop();
    expect(listener.trustedUntil).toBe(-Infinity);
  });
});

import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds that a mishap lasts. */
const TROUBLE = 1500;

/**
 * A Redis that is frozen or killed from time to time.
 *
 * @param {import('../redis/index.js').RedisServer} server
 * @param {number} peace milliseconds between two mishaps
 */
export function troubled(server, peace) {
  let nth = 0;
  let quiet = new AbortController();
  /** @type {Promise<void>} */
  let troubles = Promise.resolve();

  async function trouble() {
    for (;;) {
      const over = await sleep(peace, false, { signal: quiet.signal }).catch(() => true);
      if (over) return;
      if (nth++ % 2 === 0) {
        await server.freeze();
        await sleep(TROUBLE);
        server.thaw();
      } else {
        await server.kill();
        await sleep(TROUBLE);
        await server.restart();
      }
    }
  }

  return {
    resume() {
      quiet = new AbortController();
      troubles = trouble();
    },
    /** Resolves when the server runs. */
    async pause() {
      quiet.abort();
      await troubles;
    },
    count: () => nth,
  };
}

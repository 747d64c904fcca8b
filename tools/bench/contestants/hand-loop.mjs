const resolved = Promise.resolve();

/**
 * The limit of batched loads: what one writes by hand for one service, without checks, without
 * failures of single keys, and with what was loaded before given at once.
 *
 * @type {import('../lib/contestant.mjs').OpenLoader}
 */
export const openLoader = (loadMany, keep) =>
  keep ? new KeepingLoader(loadMany) : new HandLoader(loadMany);

/** @typedef {import('../lib/data.mjs').Value} Value */

class HandLoader {
  /** @param {(ids: readonly number[]) => Promise<Value[]>} loadMany */
  constructor(loadMany) {
    this.loadMany = loadMany;
    /** @type {number[]} */
    this.ids = [];
    /** @type {{ resolve: (value: Value) => void, reject: (error: unknown) => void }[]} */
    this.waiting = [];
  }

  /** @param {number} id @returns {Promise<Value>} */
  load(id) {
    if (this.ids.length === 0) void resolved.then(() => process.nextTick(() => this.dispatch()));
    this.ids.push(id);
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  async dispatch() {
    const { ids, waiting } = this;
    this.ids = [];
    this.waiting = [];
    try {
      const values = await this.loadMany(ids);
      for (let i = 0; i < waiting.length; i++) waiting[i].resolve(values[i]);
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }
}

class KeepingLoader extends HandLoader {
  /** @type {Map<number, Promise<Value>>} */
  kept = new Map();

  /** @override @param {number} id */
  load(id) {
    let promise = this.kept.get(id);
    if (promise === undefined) {
      promise = super.load(id);
      this.kept.set(id, promise);
    }
    return promise;
  }
}

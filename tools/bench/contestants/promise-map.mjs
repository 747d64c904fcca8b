/**
 * The limit of a burst: a `Map` of promises, so that all callers share one load.
 *
 * @type {import('../lib/contestant.mjs').Open}
 */
export const open = ({ loader }) => {
  const promises = new Map();
  return {
    get(key) {
      let promise = promises.get(key);
      if (promise === undefined) {
        promise = loader(key);
        promises.set(key, promise);
      }
      return promise;
    },
  };
};

/**
 * With a timer for each value, and a value that failed forgotten.
 *
 * @type {import('../lib/contestant.mjs').OpenSource}
 */
export const openSource = ({ load, ttl }) => {
  /** @type {Map<string, Promise<unknown>>} */
  const promises = new Map();
  return {
    get(key) {
      let promise = promises.get(key);
      if (promise === undefined) {
        promise = load(key);
        promises.set(key, promise);
        promise.then(
          () => setTimeout(() => promises.delete(key), ttl).unref(),
          () => promises.delete(key),
        );
      }
      return promise;
    },
    set: (key, value) => promises.set(key, Promise.resolve(value)),
    delete: (key) => promises.delete(key),
    has: [],
  };
};

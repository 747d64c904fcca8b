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

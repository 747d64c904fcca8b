const { AsyncLocalStorage } = require('node:async_hooks');
const { TestEnvironment } = require('jest-environment-node');

/** Storages that the test file which runs now has used, or a library that it loaded. */
const used = new Set();
for (const name of ['run', 'enterWith']) {
  const original = AsyncLocalStorage.prototype[name];
  AsyncLocalStorage.prototype[name] = function (...args) {
    used.add(this);
    return original.apply(this, args);
  };
}

/**
 * Node's own modules outlive a test file, and up to Node 22 each promise of the worker is charged for
 * every storage that was ever used in it: after some SDKs, promises take ten times as long.
 */
class ContextFreeEnvironment extends TestEnvironment {
  /** @override */
  async teardown() {
    await super.teardown();
    for (const storage of used) storage.disable();
    used.clear();
  }
}

module.exports = ContextFreeEnvironment;

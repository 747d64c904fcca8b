/** Makes `await import('fs')` a `require` in what Jest runs, which may import dynamically with a flag of Node only. */
export default {
  process: (source) => ({ code: source.replaceAll('import(', 'module.require(') }),
};

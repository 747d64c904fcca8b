/**
 * What most people key by. It confuses a Map with {}, NaN with null, and two orders of one object's
 * properties are two keys.
 *
 * @param {unknown[]} args
 */
export const encode = (args) => JSON.stringify(args);

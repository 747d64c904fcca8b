/**
 * JSON.stringify doing the whole job, since the result of makeKey also tells functions apart.
 *
 * @param {unknown[]} args
 */
export const encode = (args) => JSON.stringify(['user', ...args]);

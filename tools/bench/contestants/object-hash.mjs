import hash from 'object-hash';

/** @param {unknown[]} args */
export const encode = (args) => hash(args);

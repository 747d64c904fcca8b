import { stringify } from 'safe-stable-stringify';

/** @param {unknown[]} args */
export const encode = (args) => stringify(args);

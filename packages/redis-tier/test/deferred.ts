export { deferred, settle } from '../../../tools/testing/deferred.js';
export type { Deferred } from '../../../tools/testing/deferred.js';

export { filePersistence } from './file-persistence.js';
export type { FilePersistenceOptions } from './options.js';
export { LockedError } from './lock-file.js';
export type { LockOwner } from './lock-file.js';

export { inspect, UninspectableError } from './inspect.js';
export type { Inspection } from './inspect.js';
export type { Damage } from './damage.js';

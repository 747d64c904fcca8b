export { valueSerializer } from './values/value-serializer.js';
export type { ValueSerializerOptions } from './values/value-serializer.js';
export type { CustomType } from './values/custom-type.js';

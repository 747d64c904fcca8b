import { randomBytes } from 'node:crypto';
import { ID_LENGTH } from './beginning.js';

const COUNTER_LENGTH = 6;

/** Makes ids that no other write of any process has: random for the maker, counted within it. */
export function writeIds(): () => Buffer {
  const maker = randomBytes(ID_LENGTH - COUNTER_LENGTH);
  let count = 0;
  return () => {
    const id = Buffer.allocUnsafeSlow(ID_LENGTH);
    maker.copy(id);
    id.writeUIntBE(++count, ID_LENGTH - COUNTER_LENGTH, COUNTER_LENGTH);
    return id;
  };
}

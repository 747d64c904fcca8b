import { randomBytes } from 'node:crypto';
import { ID_LENGTH } from './envelope.js';

const COUNTER_LENGTH = 6;
/** Where the id stands in what is written. */
const ID_AT = 4;

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

/** The id of the write that a head, or a placeholder, is of. */
export function idIn(head: Buffer): Buffer {
  return head.subarray(ID_AT, ID_AT + ID_LENGTH);
}

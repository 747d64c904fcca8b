import { isUtf8 } from 'node:buffer';

/** Bytes of a log as text: UTF-8, or Latin-1 where they are none, which keeps different keys apart. */
export function textOf(bytes: Buffer | string): string {
  if (typeof bytes === 'string') return bytes;
  return bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1');
}

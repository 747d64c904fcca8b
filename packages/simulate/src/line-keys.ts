import { isUtf8 } from 'node:buffer';
import { InputError } from './input-error.js';
import { textOf } from './text-of.js';

/** What has more characters is no key, and the file no list of keys. */
const LONGEST = 65_536;
const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = '\ufeff';

/** The keys of a text with one a line; empty lines are none. */
export async function* lineKeys(
  content: AsyncIterable<Buffer>,
  file: string,
): AsyncGenerator<readonly string[]> {
  let rest: Buffer = Buffer.alloc(0);
  let line = 1;
  for await (const piece of content) {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    // What has no end yet may end within a character.
    rest = bytes.subarray(end);
    const lines = linesOf(bytes.subarray(0, end));
    const long = lines.findIndex(isLong);
    if (long >= 0 || (rest.length > LONGEST && isLong(rest.toString()))) {
      const at = line + (long >= 0 ? long : lines.length - 1);
      throw new InputError(
        `line ${at} of '${file}' has more than ${LONGEST} characters; expected one key a line`,
      );
    }
    yield keysOf(lines, line);
    line += lines.length - 1;
  }
  yield keysOf(linesOf(rest), line);
}

/** Behind the last end of a line comes an empty one. */
function linesOf(bytes: Buffer): string[] {
  if (isUtf8(bytes)) return bytes.toString().split('\n');
  // Each for itself: one in another encoding says nothing of the others.
  const lines = bytes.toString('latin1').split('\n');
  return lines.map((line) => textOf(Buffer.from(line, 'latin1')));
}

function keysOf(lines: readonly string[], first: number): string[] {
  const keys = lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  if (first === 1 && keys[0]?.startsWith(BYTE_ORDER_MARK) === true) keys[0] = keys[0].slice(1);
  return keys.filter((key) => key !== '');
}

function isLong(line: string): boolean {
  return line.length > LONGEST;
}

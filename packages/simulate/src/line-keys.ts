import { InputError } from './input-error.js';

/** What is longer is no key, and the file no list of keys. */
const LONGEST = 65_536;

/** The keys of a text with one a line; empty lines are none. */
export async function* lineKeys(
  content: AsyncIterable<Buffer>,
  file: string,
): AsyncGenerator<readonly string[]> {
  // Latin-1 keeps different bytes different, whatever the encoding is; keys are only compared.
  const decoded = (bytes: Buffer): string => bytes.toString('latin1');
  let rest = '';
  let line = 1;
  for await (const piece of content) {
    const text = rest + decoded(piece);
    const lines = text.split('\n');
    rest = lines.pop() ?? '';
    const long = lines.findIndex(({ length }) => length > LONGEST);
    if (long >= 0 || rest.length > LONGEST) {
      const at = line + (long >= 0 ? long : lines.length);
      throw new InputError(
        `line ${at} of '${file}' has more than ${LONGEST} bytes; expected one key a line`,
      );
    }
    line += lines.length;
    yield lines.map(withoutReturn).filter(isKey);
  }
  yield [withoutReturn(rest)].filter(isKey);
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

function isKey(line: string): boolean {
  return line !== '';
}

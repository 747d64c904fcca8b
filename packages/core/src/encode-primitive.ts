/** Lengths written out in advance: few names and ids are longer. */
const lengthPrefixes = Array.from({ length: 64 }, (_, length) => `${length}:`);
const stringPrefixes = lengthPrefixes.map((prefix) => `s${prefix}`);

/** The name of a property or class, `3:bob`. The length (in UTF-16 units) tells where it ends. */
export function encodeName(text: string): string {
  return (lengthPrefixes[text.length] ?? `${text.length}:`) + text;
}

/** The code word of a string, `s3:bob`. */
export function encodeString(text: string): string {
  return (stringPrefixes[text.length] ?? `s${text.length}:`) + text;
}

/** The code word of a number, `n42;`. */
export function encodeNumber(number: number): string {
  return number === 0 && 1 / number < 0 ? 'n-0;' : `n${number};`;
}

/** The code word of a string, number, bigint, boolean, null or undefined; `undefined` for all else. */
export function encodePrimitive(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return encodeString(value);
    case 'number':
      return encodeNumber(value);
    case 'bigint':
      return `b${value.toString()};`;
    case 'boolean':
      return value ? 'true;' : 'false;';
    case 'undefined':
      return 'undefined;';
    case 'object':
      return value === null ? 'null;' : undefined;
    case 'function':
    case 'symbol':
      return undefined;
  }
}

/** What `encodePrimitive` made this word of; anything at all for a text that is no such word. */
export function decodePrimitive(word: string): unknown {
  switch (word.charAt(0)) {
    case 's':
      return word.slice(word.indexOf(':') + 1);
    case 'n':
      return word === 'null;' ? null : Number(word.slice(1, -1));
    case 'b':
      return /^b-?\d+;$/.test(word) ? BigInt(word.slice(1, -1)) : undefined;
    case 't':
      return true;
    case 'f':
      return false;
    default:
      return undefined;
  }
}

import { describeValue } from './describe-value.js';
import { decodePrimitive, encodePrimitive } from './encode-primitive.js';
import { encodeValue } from './encode-value.js';
import { InvalidOptionError } from './errors.js';
import { escapeText, seal, unseal } from './key-text.js';
import { Unkeyable } from './unkeyable.js';

/**
 * The key of a call: equal values give equal keys, different values different keys, in every process
 * and in every version.
 *
 * The order of properties and of what is in a Map or Set does not matter, a hole in an array equals
 * undefined, and an object without a prototype equals a plain one. An object of a class is its name and
 * its own enumerable properties (a minifier that renames classes changes the key), unless it has a
 * method `toCacheKey()`: then it is the name and what that returns.
 *
 * What cannot be seen is not told apart: `#private` fields and variables in a closure (define
 * `toCacheKey()`), two classes of the same name, `lastIndex` of a RegExp, and properties that an array
 * or typed array has beside its elements.
 *
 * ```ts
 * makeKey('getUser', [42]); // 'getUser|n42;'
 * makeKey('getUser', ['bob', { full: true }]); // 'getUser|s3:bob{4:fulltrue;}'
 * ```
 *
 * @param skipArgs - how many arguments at the start are no part of the key, such as a database handle
 * @throws CacheError `ERR_ACACHE_UNKEYABLE` for a function, a symbol, a cycle, nesting of more than 500
 *   levels, and what cannot be read, such as a Promise or a WeakMap. It says where in the arguments.
 * @throws InvalidOptionError when skipArgs is no whole number of at least 0
 */
export function makeKey(name: string, args: readonly unknown[], skipArgs = 0): string {
  if (typeof (name as unknown) !== 'string') {
    throw new InvalidOptionError(`name must be a string, got ${describeValue(name)}`);
  }
  if (!Number.isInteger(skipArgs) || skipArgs < 0) {
    throw new InvalidOptionError(
      `skipArgs must be a whole number of at least 0, got ${describeValue(skipArgs)}`,
    );
  }
  let key = prefixOf(name);
  for (let index = skipArgs; index < args.length; index++) {
    key += encodePrimitive(args[index]) ?? encodeArgument(name, args, index);
  }
  return seal(key);
}

let lastName = '';
let lastPrefix = '|';

/** The escaped name and the `|` that ends it. Calls of one function tend to come in a row. */
function prefixOf(name: string): string {
  if (name !== lastName) {
    lastPrefix = `${name.includes('|') || name.includes('%') ? escapeText(name) : name}|`;
    lastName = name;
  }
  return lastPrefix;
}

function encodeArgument(name: string, args: readonly unknown[], index: number): string {
  try {
    return encodeValue(args[index], 0);
  } catch (error) {
    throw error instanceof Unkeyable ? error.toCacheError(`args[${index}]`, ` for ${name}`) : error;
  }
}

/**
 * The encoding of one value: a key by value, fit for a wire (it holds no lone surrogate). No encoding is
 * the beginning of another, so they can be strung together. Values are told apart as by `makeKey`.
 *
 * @throws CacheError `ERR_ACACHE_UNKEYABLE` where `makeKey` does
 */
export function encodeKey(value: unknown): string {
  try {
    return seal(encodeValue(value, 0));
  } catch (error) {
    throw error instanceof Unkeyable ? error.toCacheError('key') : error;
  }
}

/** The primitive that `encodeKey` made this of; `undefined` for the key of an object, and for what is no key. */
export function decodePrimitiveKey(encoded: string): { value: unknown } | undefined {
  const value = decodePrimitive(unseal(encoded));
  const word = encodePrimitive(value);
  // What was read leniently has to come out the same again: 'n042;', 's9:bob' and 'true' do not.
  return word !== undefined && seal(word) === encoded ? { value } : undefined;
}

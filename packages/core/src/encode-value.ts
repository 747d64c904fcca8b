import { type ClassShape, prototypeOf, shapeOf } from './class-shape.js';
import { encodeBuiltIn, entriesOf, valuesOf } from './encode-builtin.js';
import { encodeName, encodePrimitive } from './encode-primitive.js';
import { propertyStep, Unkeyable } from './unkeyable.js';

/** Deep enough for any real argument, and far from the end of the stack. */
const MAX_DEPTH = 500;
/** A cycle is bound to come deeper than this; what does not pays nothing for the search. */
const UNTRACKED_DEPTH = 24;
/** Deno keeps what it needs to know of these under symbols. */
const symbolsAreInternal: ReadonlySet<string> = new Set(['URL', 'URLSearchParams', 'DOMException']);

/**
 * The code word of any value that has one.
 *
 * @param depth - how many containers it is in
 * @param ancestors - those of them that are `UNTRACKED_DEPTH` deep or deeper
 * @throws Unkeyable
 */
export function encodeValue(value: unknown, depth: number, ancestors?: object[]): string {
  const word = encodePrimitive(value);
  if (word !== undefined) return word;
  if (typeof value === 'object' && value !== null) return encodeObject(value, depth, ancestors);
  throw new Unkeyable(
    typeof value === 'function' ? 'a function' : 'a symbol',
    'Pass a primitive that stands for it, or define toCacheKey() on the object that holds it',
  );
}

function encodeObject(value: object, depth: number, ancestors?: object[]): string {
  if (depth >= UNTRACKED_DEPTH) ancestors = track(value, depth, ancestors);
  if (hasCustomKey(value)) return encodeCustom(value, depth, ancestors);
  const prototype = prototypeOf(value);
  if (Array.isArray(value)) {
    if (prototype === Array.prototype) return `[${encodeElements(value, depth, ancestors)}]`;
  } else if (prototype === Object.prototype || prototype === null) {
    if (Object.prototype.toString.call(value) === '[object Object]') {
      refuseSymbols(value);
      return `{${encodeProperties(value, Object.keys(value), depth, ancestors)}}`;
    }
  }
  return encodeInstance(value, shapeOf(prototype), depth, ancestors);
}

/** @returns the ancestors of what `value` contains */
function track(value: object, depth: number, ancestors: object[] = []): object[] {
  if (depth >= MAX_DEPTH) {
    throw new Unkeyable(
      `nested more than ${MAX_DEPTH} levels deep`,
      'Pass an id that stands for it',
    );
  }
  const level = depth - UNTRACKED_DEPTH;
  // What lies at this level or deeper was left there by a sibling.
  if (level > 0 && ancestors.lastIndexOf(value, level - 1) !== -1) {
    throw new Unkeyable('a cycle').within(value, '');
  }
  ancestors[level] = value;
  return ancestors;
}

type CustomKey = object & { toCacheKey(): unknown };

function hasCustomKey(value: object): value is CustomKey {
  return typeof (value as Partial<CustomKey>).toCacheKey === 'function';
}

function encodeCustom(value: CustomKey, depth: number, ancestors?: object[]): string {
  const name = classNameOf(shapeOf(prototypeOf(value)));
  const result = value.toCacheKey();
  try {
    return `@${name}(${encodeValue(result, depth + 1, ancestors)})`;
  } catch (error) {
    throw within(error, value, '.toCacheKey()');
  }
}

function encodeElements(array: readonly unknown[], depth: number, ancestors?: object[]): string {
  let words = '';
  let index = 0;
  try {
    for (; index < array.length; index++) words += encodeValue(array[index], depth + 1, ancestors);
  } catch (error) {
    throw within(error, array, `[${index}]`);
  }
  return words;
}

function encodeProperties(
  value: object,
  names: string[],
  depth: number,
  ancestors?: object[],
): string {
  sortByCodeUnit(names);
  let words = '';
  let index = 0;
  try {
    for (; index < names.length; index++) {
      const name = names[index] as string;
      const property = (value as Record<string, unknown>)[name];
      words += encodeName(name) + encodeValue(property, depth + 1, ancestors);
    }
  } catch (error) {
    throw within(error, value, propertyStep(names[index] as string));
  }
  return words;
}

function refuseSymbols(value: object): void {
  for (const symbol of Object.getOwnPropertySymbols(value)) {
    if (Object.prototype.propertyIsEnumerable.call(value, symbol)) {
      throw new Unkeyable(`an object with a property named by a symbol, ${String(symbol)}`);
    }
  }
}

/** Objects have few properties as a rule, and few are sorted fastest by insertion. */
function sortByCodeUnit(names: string[]): void {
  if (names.length > 16) {
    names.sort();
    return;
  }
  for (let end = 1; end < names.length; end++) {
    const name = names[end] as string;
    let at = end;
    for (; at > 0 && (names[at - 1] as string) > name; at--) names[at] = names[at - 1] as string;
    names[at] = name;
  }
}

/** An object of a class: what the built-in it is based on holds, then its own properties. */
function encodeInstance(
  value: object,
  shape: ClassShape,
  depth: number,
  ancestors?: object[],
): string {
  const base = baseOf(value, shape);
  const state = encodeState(base, value, depth, ancestors);
  if (state === undefined) {
    const tag = tagOf(value);
    const type = tag === 'Object' ? base : tag;
    throw new Unkeyable(`of type ${type}, whose state cannot be read`);
  }
  if (shape.inherits) throw new Unkeyable('an object that inherits from an object without a class');
  // An array of another realm. What an array has beside its elements is looked at in subclasses only.
  if (base === 'Array' && (shape.plain || shape.name === 'Array')) return `[${state}]`;
  const className = shape.plain ? '' : `@${classNameOf(shape)}`;
  if (!symbolsAreInternal.has(tagOf(value))) refuseSymbols(value);
  const properties = encodeProperties(value, namesOf(base, value), depth, ancestors);
  if (base === 'Object') return `${className}{${properties}}`;
  return `${base}${shape.name === base ? '' : className}(${state}${properties && `;${properties}`})`;
}

function baseOf(value: object, shape: ClassShape): string {
  if (Array.isArray(value)) return 'Array';
  // Classes that a platform wrote in JavaScript, as Node did URL and Buffer, show in the tag only.
  if (shape.base !== '' && !ArrayBuffer.isView(value)) return shape.base;
  return tagOf(value);
}

/** What an object calls itself: `Object`, `Date`, `AbortSignal`. */
function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

function classNameOf({ name, plain }: ClassShape): string {
  if (name === '' && !plain) {
    throw new Unkeyable('an instance of a class without a name', 'Name the class');
  }
  return encodeName(name);
}

function encodeState(
  base: string,
  value: object,
  depth: number,
  ancestors?: object[],
): string | undefined {
  switch (base) {
    case 'Object':
    case 'Error':
      return '';
    case 'Array':
      return Array.isArray(value) ? encodeElements(value, depth, ancestors) : undefined;
    case 'Map':
      return encodeMap(value, depth, ancestors);
    case 'Set':
      return encodeSet(value, depth, ancestors);
    default:
      return encodeBuiltIn(base, value);
  }
}

function encodeMap(map: object, depth: number, ancestors?: object[]): string | undefined {
  const entries = entriesOf(map);
  if (entries === undefined) return undefined;
  const words: string[] = [];
  let step = '';
  try {
    for (const [key, value] of entries) {
      step = `[key ${words.length}]`;
      const word = encodeValue(key, depth + 1, ancestors);
      step = `[value ${words.length}]`;
      words.push(word + encodeValue(value, depth + 1, ancestors));
    }
  } catch (error) {
    throw within(error, map, step);
  }
  return words.sort().join('');
}

function encodeSet(set: object, depth: number, ancestors?: object[]): string | undefined {
  const values = valuesOf(set);
  if (values === undefined) return undefined;
  const words: string[] = [];
  try {
    for (const value of values) words.push(encodeValue(value, depth + 1, ancestors));
  } catch (error) {
    throw within(error, set, `[value ${words.length}]`);
  }
  return words.sort().join('');
}

/** The properties that tell one object from another of the same class and state. */
function namesOf(base: string, value: object): string[] {
  if (ArrayBuffer.isView(value)) return [];
  const names = Object.keys(value);
  if (base === 'Array' || base === 'String') {
    const { length } = value as ArrayLike<unknown>;
    return names.filter((name) => String(Number(name) >>> 0) !== name || Number(name) >= length);
  }
  if (base !== 'Error') return names;
  // None of these is enumerable as a rule. `stack` is left out: it tells where, not what.
  const hidden = ['cause', 'errors'].filter((name) => Object.hasOwn(value, name));
  return [...new Set([...names, 'name', 'message', ...hidden])];
}

function within(error: unknown, owner: object, step: string): unknown {
  return error instanceof Unkeyable ? error.within(owner, step) : error;
}

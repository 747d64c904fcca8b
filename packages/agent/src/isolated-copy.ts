/**
 * A copy that shares nothing that can be changed in place: plain objects, arrays, maps, sets, dates and
 * binary data, also in cycles. Anything else, such as a function or an instance of a class, is the same
 * in the copy.
 */
export function isolatedCopy<T>(value: T): T {
  return typeof value === 'object' && value !== null ? (copyOf(value, new Map()) as T) : value;
}

type Seen = Map<object, object>;
type AnyMap = ReadonlyMap<unknown, unknown>;

function copyOf(value: object, seen: Seen): object {
  const known = seen.get(value);
  if (known !== undefined) return known;
  if (Array.isArray(value)) return copyOfArray(value, seen);
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (isPlain(prototype)) return copyOfObject(value, prototype, seen);
  // By tag, since what is of another realm is no instance of ours.
  switch (Object.prototype.toString.call(value)) {
    case '[object Date]':
      return isBuiltIn(prototype, 'getTime') ? new Date(Number(value)) : value;
    case '[object Map]':
      return isBuiltIn(prototype, 'clear') ? copyOfMap(value as AnyMap, seen) : value;
    case '[object Set]':
      return isBuiltIn(prototype, 'clear') ? copyOfSet(value as ReadonlySet<unknown>, seen) : value;
    case '[object ArrayBuffer]':
      return (value as ArrayBuffer).slice(0);
    default:
      return ArrayBuffer.isView(value) ? copyOfView(value, seen) : value;
  }
}

/** Of a literal, also one of another realm, or without a prototype. */
function isPlain(prototype: object | null): boolean {
  if (prototype === null || prototype === Object.prototype) return true;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}

/** Whether it is of the built-in class itself: one of the user's may hold more than can be seen. */
function isBuiltIn(prototype: object | null, method: string): boolean {
  if (prototype === null) return false;
  const { constructor } = prototype;
  return Object.hasOwn(prototype, method) && String(constructor).includes('[native code]');
}

function inner(value: unknown, seen: Seen): unknown {
  return typeof value === 'object' && value !== null ? copyOf(value, seen) : value;
}

function copyOfArray(array: readonly unknown[], seen: Seen): unknown[] {
  const copy = new Array<unknown>(array.length);
  seen.set(array, copy);
  // A hole stays one.
  for (let at = 0; at < array.length; at++) if (at in array) copy[at] = inner(array[at], seen);
  // What else it has, such as the groups that a regular expression found; indices come first.
  const keys = Object.keys(array);
  const named = keys.slice(keys.findLastIndex(isIndex) + 1);
  copyProperties(array, copy, [...named, ...Object.getOwnPropertySymbols(array)], seen);
  return copy;
}

function isIndex(key: string): boolean {
  const index = Number(key) >>> 0;
  return index < 2 ** 32 - 1 && String(index) === key;
}

function copyOfObject(object: object, prototype: object | null, seen: Seen): object {
  const isOrdinary = prototype === Object.prototype;
  const copy = (isOrdinary ? {} : Object.create(prototype)) as object;
  seen.set(object, copy);
  copyProperties(object, copy, Reflect.ownKeys(object), seen);
  return copy;
}

function copyProperties(
  from: object,
  to: object,
  keys: readonly (string | symbol)[],
  seen: Seen,
): void {
  for (const key of keys) {
    if (!Object.prototype.propertyIsEnumerable.call(from, key)) continue;
    const value = inner((from as Record<string | symbol, unknown>)[key], seen);
    if (key === '__proto__') {
      const own = { value, writable: true, enumerable: true, configurable: true };
      Object.defineProperty(to, key, own);
    } else (to as Record<string | symbol, unknown>)[key] = value;
  }
}

function copyOfMap(map: AnyMap, seen: Seen): Map<unknown, unknown> {
  const copy = new Map<unknown, unknown>();
  seen.set(map, copy);
  for (const [key, value] of map) copy.set(inner(key, seen), inner(value, seen));
  return copy;
}

function copyOfSet(set: ReadonlySet<unknown>, seen: Seen): Set<unknown> {
  const copy = new Set<unknown>();
  seen.set(set, copy);
  for (const value of set) copy.add(inner(value, seen));
  return copy;
}

function copyOfView(view: ArrayBufferView, seen: Seen): object {
  // What threads share is meant to be shared.
  if (Object.prototype.toString.call(view.buffer) !== '[object ArrayBuffer]') return view;
  const copy =
    Object.prototype.toString.call(view) === '[object DataView]'
      ? copyOfDataView(view)
      : // Of typed arrays alone: that of a Buffer is a view of the same bytes.
        (Uint8Array.prototype.slice.call(view) as object);
  seen.set(view, copy);
  return copy;
}

function copyOfDataView({ buffer, byteLength, byteOffset }: ArrayBufferView): DataView {
  return new DataView((buffer as ArrayBuffer).slice(byteOffset, byteOffset + byteLength));
}

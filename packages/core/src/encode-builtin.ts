import { encodeNumber, encodePrimitive, encodeString } from './encode-primitive.js';

const hexBytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** The entries of a Map; `undefined` for what only looks like one. */
export function entriesOf(map: object): Iterable<[unknown, unknown]> | undefined {
  try {
    return Map.prototype.entries.call(map);
  } catch {
    return undefined;
  }
}

/** The values of a Set; `undefined` for what only looks like one. */
export function valuesOf(set: object): Iterable<unknown> | undefined {
  try {
    return Set.prototype.values.call(set);
  } catch {
    return undefined;
  }
}

/**
 * The hidden state of a built-in that contains no other values; `undefined` where none can be read,
 * as in a Promise or in a Proxy of a Date.
 */
export function encodeBuiltIn(base: string, value: object): string | undefined {
  try {
    return ArrayBuffer.isView(value) ? encodeView(base, value) : encodeScalar(base, value);
  } catch {
    return undefined;
  }
}

/** The methods throw for any object that has the prototype but not the state, and know objects of all realms. */
function encodeScalar(base: string, value: object): string | undefined {
  switch (base) {
    case 'Date':
      return encodeNumber(Date.prototype.getTime.call(value));
    case 'RegExp':
      return (
        encodeString(Reflect.get(RegExp.prototype, 'source', value)) +
        encodeString(Reflect.get(RegExp.prototype, 'flags', value))
      );
    case 'URL':
      return encodePrimitive((value as URL).href);
    case 'URLSearchParams':
      return encodePrimitive((value as URLSearchParams).toString());
    case 'ArrayBuffer':
    case 'SharedArrayBuffer':
      return hexOf(new DataView(value as ArrayBuffer));
    case 'Number':
      return encodeNumber(Number.prototype.valueOf.call(value));
    case 'String':
      return encodeString(String.prototype.valueOf.call(value));
    case 'Boolean':
      return encodePrimitive(Boolean.prototype.valueOf.call(value));
    case 'BigInt':
      return encodePrimitive(BigInt.prototype.valueOf.call(value));
    default:
      return undefined;
  }
}

/** Elements wider than a byte are written as numbers: their bytes depend on the machine. */
function encodeView(base: string, view: ArrayBufferView): string {
  if (base === 'DataView' || view.byteLength === (view as Uint8Array).length) return hexOf(view);
  let elements = '';
  for (const element of view as unknown as Iterable<number | bigint>) {
    elements += Object.is(element, -0) ? '-0,' : `${element.toString()},`;
  }
  return elements;
}

function hexOf({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  let hex = '';
  for (const byte of new Uint8Array(buffer, byteOffset, byteLength))
    hex += hexBytes[byte] as string;
  return hex;
}

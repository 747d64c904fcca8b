/** What the byte after the tag means: its place here. */
const kinds = [
  'ArrayBuffer',
  'DataView',
  'Buffer',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int8Array',
  'Uint16Array',
  'Int16Array',
  'Uint32Array',
  'Int32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'Float16Array',
] as const;

/** Bytes and what they were. */
export interface Binary {
  readonly kind: number;
  /** Elements wider than a byte are little-endian. */
  readonly bytes: Uint8Array;
}

interface BinaryConstructor {
  readonly BYTES_PER_ELEMENT?: number;
  new (buffer: ArrayBuffer): object;
}

const bigEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 0;
const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;

/** @param className - of its own class: a Buffer says what it is in no other way */
export function binaryOfView(view: ArrayBufferView, className: string): Binary {
  const name = (Reflect.get(typedArray, Symbol.toStringTag, view) ??
    'DataView') as (typeof kinds)[number];
  const isBuffer = name === 'Uint8Array' && className === 'Buffer';
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const { BYTES_PER_ELEMENT = 1 } = view as { BYTES_PER_ELEMENT?: number };
  return {
    kind: kinds.indexOf(isBuffer ? 'Buffer' : name),
    bytes: bigEndian ? swapped(bytes, BYTES_PER_ELEMENT) : bytes,
  };
}

/** @throws TypeError for what only looks like an ArrayBuffer or SharedArrayBuffer, and for a detached one */
export function binaryOfBuffer(buffer: object): Binary {
  return { kind: 0, bytes: new Uint8Array(new DataView(buffer as ArrayBuffer).buffer) };
}

/**
 * The inverse of both. The bytes become its memory.
 * @returns `undefined` when there is no such kind or not on this platform, or it cannot have that many bytes
 */
export function binaryFrom(kind: number, bytes: Uint8Array<ArrayBuffer>): object | undefined {
  const name = kinds[kind];
  if (name === undefined) return undefined;
  if (name === 'ArrayBuffer') return bytes.buffer;
  if (name === 'Uint8Array') return bytes;
  const platform = globalThis as unknown as Partial<Record<string, BinaryConstructor>> & {
    readonly Buffer?: { from(buffer: ArrayBuffer): object };
  };
  if (name === 'Buffer') return platform.Buffer?.from(bytes.buffer) ?? bytes;
  const constructor = platform[name];
  const { BYTES_PER_ELEMENT: width = 1 } = constructor ?? {};
  if (!constructor || bytes.length % width !== 0) return undefined;
  return new constructor((bigEndian ? swapped(bytes, width) : bytes).buffer);
}

/** A copy with the bytes of each element in reverse. */
export function swapped(bytes: Uint8Array, width: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes);
  for (let at = 0; at < copy.length; at += width) copy.subarray(at, at + width).reverse();
  return copy;
}

/**
 * Where two values differ, as strictly as can be told: in kind, prototype, order of properties, holes, bytes, or
 * in which of the objects in them are one and the same; `undefined` when they do not. Recursive: for values
 * of ordinary depth.
 */
export function difference(
  one: unknown,
  other: unknown,
  path = 'value',
  pairs = new Map<unknown, unknown>(),
): string | undefined {
  if (typeof one !== 'object' || typeof other !== 'object' || !one || !other) {
    return Object.is(one, other) ? undefined : path;
  }
  if (pairs.has(one) || pairs.has(other)) return pairs.get(one) === other ? undefined : path;
  pairs.set(one, other).set(other, one);
  if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return `${path} (prototype)`;
  const parts = partsOf(one);
  const otherParts = partsOf(other);
  if (parts.length !== otherParts.length) return `${path} (size)`;
  for (let at = 0; at < parts.length; at++) {
    const [name, part] = parts[at]!;
    const [otherName, otherPart] = otherParts[at]!;
    if (name !== otherName) return `${path} (${name} or ${otherName})`;
    const found = difference(part, otherPart, `${path}.${name}`, pairs);
    if (found) return found;
  }
  return undefined;
}

/** All that can be seen of an object, each part by a name. */
function partsOf(object: object): [string, unknown][] {
  if (object instanceof ArrayBuffer) return partsOf(new Uint8Array(object));
  if (ArrayBuffer.isView(object)) {
    const { buffer, byteOffset, byteLength } = object;
    return [['bytes', Buffer.from(buffer, byteOffset, byteLength).toString('hex')]];
  }
  const parts: [string, unknown][] = [];
  if (object instanceof Map) {
    [...object].forEach(([key, value], at) => parts.push([`key${at}`, key], [`value${at}`, value]));
  }
  if (object instanceof Set) [...object].forEach((value, at) => parts.push([`member${at}`, value]));
  if (object instanceof Date) parts.push(['time', object.getTime()]);
  if (object instanceof RegExp || object instanceof URL) parts.push(['text', String(object)]);
  if (isBoxed(object)) parts.push(['primitive', object.valueOf()]);
  const descriptors = Object.getOwnPropertyDescriptors(object);
  const names = [...Object.keys(object), ...Object.getOwnPropertyNames(object).sort()];
  for (const name of new Set(names)) {
    const { enumerable = false } = descriptors[name as never] as PropertyDescriptor;
    parts.push([`${name}${enumerable ? '' : ' (hidden)'}`, Reflect.get(object, name)]);
  }
  return parts;
}

function isBoxed(object: object): boolean {
  return [String, Number, Boolean, BigInt].some((type) => object instanceof type);
}

import { prototypeOf } from '../class-shape.js';
import { describeValue } from '../describe-value.js';
import { InvalidOptionError } from '../errors.js';

/**
 * How the instances of a class are stored, so that they come back as instances.
 *
 * ```ts
 * const money: CustomType<Money> = {
 *   name: 'Money',
 *   class: Money,
 *   encode: ({ amount, currency }) => [amount, currency],
 *   decode: ([amount, currency]) => new Money(amount, currency),
 * };
 * ```
 */
export interface CustomType<T = any> {
  /** What the bytes call it. Bytes that name a type which the reader was not given are unreadable. */
  readonly name: string;
  /** Whose instances these are; those of its subclasses too, unless they have a type of their own. */
  readonly class: abstract new (...args: any[]) => T;
  /**
   * What to store in place of the value: anything that has a form in bytes, other custom values too, but
   * not the value itself.
   */
  readonly encode: (value: T) => unknown;
  /** Makes the value of what `encode` returned. That is data from outside: check it, and throw. */
  readonly decode: (data: any) => T;
}

/** The types of one serializer, found by name and by prototype. */
export class CustomTypes {
  readonly #byName = new Map<unknown, CustomType>();
  readonly #byPrototype = new Map<object, CustomType>();

  /** @throws InvalidOptionError for what is no type, and for a name or class that comes twice */
  constructor(types: readonly CustomType[]) {
    if (!Array.isArray(types)) {
      throw new InvalidOptionError(`types must be an array, got ${describeValue(types)}`);
    }
    for (const type of types as readonly CustomType[]) this.#add(type);
  }

  #add(type: CustomType): void {
    check(type);
    const prototype = type.class.prototype as object;
    if (this.#byName.has(type.name) || this.#byPrototype.has(prototype)) {
      throw new InvalidOptionError(
        `types must differ in name and class, got two for ${describeValue(type.name)}`,
      );
    }
    this.#byName.set(type.name, type);
    this.#byPrototype.set(prototype, type);
  }

  named(name: unknown): CustomType | undefined {
    return this.#byName.get(name);
  }

  /** The type of an object: that of its class, or else of the nearest class which that extends. */
  of(prototype: object): CustomType | undefined {
    if (this.#byPrototype.size === 0) return undefined;
    for (let current: object | null = prototype; current; current = prototypeOf(current)) {
      const type = this.#byPrototype.get(current);
      if (type) return type;
    }
    return undefined;
  }
}

function check(type: CustomType): void {
  const { name, class: constructor } = ((type as unknown) ?? {}) as CustomType;
  if (typeof (name as unknown) !== 'string' || name === '') {
    throw new InvalidOptionError(`types must have a name, got ${describeValue(name)}`);
  }
  for (const property of ['class', 'encode', 'decode'] as const) {
    const found: unknown = type[property];
    if (typeof found !== 'function') {
      throw new InvalidOptionError(
        `the type '${name}' must have a function as ${property}, got ${describeValue(found)}`,
      );
    }
  }
  // Objects and arrays without a class are never asked for their type.
  const prototype = constructor.prototype as unknown;
  const plain: readonly unknown[] = [Object.prototype, Array.prototype];
  if (typeof prototype !== 'object' || prototype === null || plain.includes(prototype)) {
    throw new InvalidOptionError(
      `the type '${name}' must be of a class of its own, got ${describeValue(constructor)}`,
    );
  }
}

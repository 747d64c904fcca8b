const inherited: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype));

export type Properties = Record<string, unknown>;

/** The names of the properties of objects that are alike. */
export class ObjectShape {
  readonly keys: readonly string[];
  /** Whether none is inherited: `__proto__` would change the prototype, a frozen prototype refuse the rest. */
  readonly #assignable: boolean;
  /** The first key that is a number of two digits or more; -1 for none. */
  readonly #firstIndex: number;

  constructor(keys: readonly string[]) {
    this.keys = keys;
    let assignable = true;
    let firstIndex = -1;
    for (let at = 0; at < keys.length; at++) {
      const key = keys[at] as string;
      if (firstIndex === -1 && isIndex(key)) firstIndex = at;
      if (inherited.has(key)) assignable = false;
    }
    this.#assignable = assignable;
    this.#firstIndex = firstIndex;
  }

  /** Gives a plain object one of the properties, as assignment does. */
  assign(target: Properties, at: number, value: unknown): void {
    const key = this.keys[at] as string;
    if (this.#assignable && at !== this.#firstIndex) target[key] = value;
    else this.define(target, at, value, true);
  }

  /** Gives any object one of the properties, whatever it inherits. */
  define(target: object, at: number, value: unknown, enumerable: boolean): void {
    const key = this.keys[at] as string;
    // V8 makes room for all indices below an object's first one, 11 kB for {1000: 1}. It does not where the
    // first is no ordinary property, and does not notice when it becomes one.
    if (at === this.#firstIndex) Object.defineProperty(target, key, { value, configurable: true });
    Object.defineProperty(target, key, { value, enumerable, configurable: true, writable: true });
  }
}

/** Whether it is a whole number of two digits or more. */
function isIndex(key: string): boolean {
  const first = key.charCodeAt(0);
  return first > 0x30 && first < 0x3a && /^\d{2,10}$/.test(key);
}
